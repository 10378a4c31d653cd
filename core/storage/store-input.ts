import { ConflictError, InvalidInputError } from '../errors.ts';
import { isKey } from '../jobs/keys.ts';
import type { WriteOptions } from './object-store.ts';

/** S3 signs nothing for longer than a week, and takes no form of more than 5 GiB. */
const MOST_SECONDS = 7 * 24 * 3600;
const MOST_FORM_BYTES = 5 * 1024 ** 3;
const CONTENT_TYPE =
  /^[a-z0-9][a-z0-9.+-]{0,63}\/[a-z0-9][a-z0-9.+-]{0,127}(?:; ?charset=[a-z0-9-]{1,32})?$/i;

/** What an upload form is bound to, beside its key. */
export interface UploadTerms {
  readonly seconds: number;
  readonly maxBytes: number;
  readonly contentType: string;
}

/** @throws InvalidInputError when no key can start with `prefix`; an empty one is the whole store */
export function assertPrefix(prefix: string): void {
  if (isKey(`${prefix}x`) || isKey(prefix)) return;
  throw invalid('prefix', 'the beginning of a key');
}

/** @throws InvalidInputError when a list cannot start behind this; an empty one is the beginning */
export function assertStart(startAfter: string): void {
  if (startAfter === '' || isKey(startAfter)) return;
  throw invalid('startAfter', 'a key');
}

/** @throws InvalidInputError when nothing can be signed for this time */
export function assertSeconds(seconds: number): void {
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= MOST_SECONDS) return;
  throw invalid('seconds', `a whole number from 1 to ${MOST_SECONDS}`);
}

/**
 * @throws InvalidInputError when a form cannot be bound to these terms. `${filename}` in a key is refused: S3 puts
 * the name of the posted file in its place, so the form would not be bound to one key.
 */
export function assertUploadTerms(key: string, { seconds, maxBytes, contentType }: UploadTerms): void {
  assertSeconds(seconds);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: S3's own placeholder
  if (key.includes('${filename}')) throw invalid('key', 'no placeholder of S3');
  if (!Number.isInteger(maxBytes) || maxBytes < 1 || maxBytes > MOST_FORM_BYTES) {
    throw invalid('maxBytes', `a whole number from 1 to ${MOST_FORM_BYTES}`);
  }
  if (!CONTENT_TYPE.test(contentType)) throw invalid('contentType', 'a media type such as text/csv');
}

/**
 * Header value that makes a browser save under a name, by RFC 6266: ASCII for old clients, then the name itself.
 * Quotes, slashes and control characters become `_`, so a name cannot add a header or a folder.
 */
export function contentDisposition(filename: string): string {
  const name = filename.replace(/[\p{Surrogate}\p{Cc}/\\"]/gu, '_');
  const ascii = name.replace(/[^ -~]|%/gu, '_');
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}

/** For a conditional write whose condition did not hold. */
export function unmetCondition(onlyIf: NonNullable<WriteOptions['onlyIf']>): ConflictError {
  const [expected, kind] =
    onlyIf === 'absent'
      ? ['no object under this key, received one', onlyIf]
      : ['the content of the given etag, received another or none', 'etag'];
  return new ConflictError(`object store: expected ${expected}`, { where: 'object store', onlyIf: kind });
}

function invalid(where: string, expected: string): InvalidInputError {
  return new InvalidInputError(`${where}: expected ${expected}`, { where });
}
