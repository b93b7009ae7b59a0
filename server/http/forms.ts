import express, { type RequestHandler } from 'express';
import type { z } from 'zod';
import { Refusal } from './refusal.ts';

/** No form here is longer; the longest field is a reason in a few sentences. */
const LIMIT_BYTES = 8 * 1024;
const MAX_FIELDS = 20;

/** The fields of an HTML form in `request.body`. */
export function formBody(): RequestHandler {
  return express.urlencoded({
    extended: false,
    limit: LIMIT_BYTES,
    parameterLimit: MAX_FIELDS,
    inflate: false,
  });
}

/**
 * What `schema` makes of a form's fields; what a person may get wrong is not its business.
 * @throws Refusal `invalidMessage` for a form that is not the page's own
 */
export function parseForm<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body ?? {});
  if (!parsed.success) throw new Refusal('invalidMessage', 'The form is not complete.');
  return parsed.data;
}
