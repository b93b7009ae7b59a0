/** RFC 5321 §4.5.3.1. */
const MAX_EMAIL = 254;
const MAX_LOCAL_PART = 64;
const EMAIL =
  /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/;

/** An address as it is kept: without blanks around it, in small letters. */
export function tidyEmail(text: string): string {
  return text.trim().toLowerCase();
}

/** Whether a tidied address is longer than mail servers take. */
export function isTooLongEmail(email: string): boolean {
  return email.length > MAX_EMAIL || email.indexOf('@') > MAX_LOCAL_PART;
}

/** Whether a tidied address is one. */
export function isEmail(email: string): boolean {
  return !isTooLongEmail(email) && EMAIL.test(email);
}
