import type { CookieOptions } from 'express';

/**
 * The name of a party's session cookie. Cookies ignore ports, so two parties on one host need two
 * names; `__Host-` keeps other hosts of the domain from setting it, which needs TLS.
 */
export function sessionCookie(
  party: 'guardian' | 'employer',
  url: string,
): { name: string; options: CookieOptions } {
  const secure = new URL(url).protocol === 'https:';
  return {
    name: `${secure ? '__Host-' : ''}chorus-${party}`,
    // No end of its own: it goes with the browser, and the server ends the session earlier or later.
    options: { httpOnly: true, sameSite: 'lax', secure, path: '/' },
  };
}

/**
 * The one value of a cookie in a `Cookie` header. Two values mean that somebody put one beside ours,
 * and nothing tells which is which: then there is none.
 */
export function cookieValue(header: string | undefined, name: string): string | undefined {
  const values = (header ?? '').split(';').flatMap((part) => {
    const at = part.indexOf('=');
    return at !== -1 && part.slice(0, at).trim() === name ? [part.slice(at + 1).trim()] : [];
  });
  return values.length === 1 ? values[0] : undefined;
}
