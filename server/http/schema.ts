import { z } from 'zod';
import { fromBase64url } from '../../crypto/bytes.ts';
import { Refusal } from './refusal.ts';

/** A base64url field of `size` bytes (any size if none is given), as bytes. */
export function bytesField(size?: number): z.ZodType<Uint8Array, string> {
  return z.string().transform((text, context) => {
    try {
      const bytes = fromBase64url(text);
      if (size === undefined || bytes.length === size) return bytes;
    } catch {
      // Reported below, alike for every fault.
    }
    context.addIssue({ code: 'custom', message: 'not base64url of the expected length' });
    return z.NEVER;
  });
}

/** The value that `schema` makes of a JSON body. @throws Refusal `invalidMessage` */
export function parseJson<T>(schema: z.ZodType<T>, body: Uint8Array): T {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new Refusal('invalidMessage', 'not JSON');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Refusal('invalidMessage', z.prettifyError(parsed.error));
}

/** The bytes of a base64url path parameter. @throws Refusal `code` */
export function pathBytes(
  text: unknown,
  size: number,
  code: 'unrecognizedTask' | 'unrecognizedAggregationJob' | 'notFound',
): Uint8Array {
  const parsed = bytesField(size).safeParse(text);
  if (!parsed.success) throw new Refusal(code);
  return parsed.data;
}
