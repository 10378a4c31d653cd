import { createHmac, timingSafeEqual } from 'node:crypto';
import { InvalidInputError } from '../errors.ts';
import type { UploadForm } from './object-store.ts';
import type { UploadTerms } from './store-input.ts';

/** Shorter keys can be guessed. */
const LEAST_KEY_BYTES = 16;

/** What a valid signature allows, once or many times, until it expires. */
export type SignedAccess =
  | { readonly action: 'download'; readonly key: string; readonly filename?: string }
  | {
      readonly action: 'upload';
      readonly key: string;
      readonly maxBytes: number;
      readonly contentType: string;
    };

export interface Signer {
  /** Of the local server, without a slash at its end. */
  readonly baseUrl: string;
  readonly signingKey: string;
  readonly now: () => Date;
}

/** Names in a URL or a form, in the order in which they are signed. */
const SIGNED_NAMES = {
  download: ['action', 'key', 'expires', 'filename'],
  upload: ['action', 'key', 'expires', 'max-bytes', 'Content-Type'],
} as const;

type Parameters = Readonly<Record<string, string>>;

/** @throws InvalidInputError when the key is too short to keep anything safe */
export function assertSigningKey(signingKey: string): void {
  if (Buffer.byteLength(signingKey) >= LEAST_KEY_BYTES) return;
  throw new InvalidInputError(`signingKey: expected at least ${LEAST_KEY_BYTES} bytes`, {
    where: 'signingKey',
  });
}

/** URL `{baseUrl}/download?…` that reads one object of the local server. */
export function signDownload(
  signer: Signer,
  key: string,
  { seconds, filename }: { readonly seconds: number; readonly filename?: string },
): string {
  const expires = expiry(signer, seconds);
  const named = filename === undefined ? {} : { filename };
  const signed = sign({ action: 'download', key, expires, ...named }, signer.signingKey);
  return `${signer.baseUrl}/download?${new URLSearchParams(signed)}`;
}

/** Form for `POST {baseUrl}/upload`, multipart, its file last under the name `file`, as S3 takes it. */
export function signUpload(signer: Signer, key: string, terms: UploadTerms): UploadForm {
  const parameters = {
    action: 'upload',
    key,
    expires: expiry(signer, terms.seconds),
    'max-bytes': String(terms.maxBytes),
    'Content-Type': terms.contentType,
  };
  return { url: `${signer.baseUrl}/upload`, fields: sign(parameters, signer.signingKey) };
}

/**
 * What a URL or a form of ours allows: nothing (null) when any of its parts was changed or it has expired. Whoever
 * serves it holds the body to `maxBytes` and `contentType`.
 *
 * @param parameters  query of the URL, or fields of the form; others than ours are left out of account
 */
export function verifySignature(
  parameters: Parameters,
  { signingKey, now }: { readonly signingKey: string; readonly now: Date },
): SignedAccess | null {
  const { action, signature = '', expires } = parameters;
  if (action !== 'download' && action !== 'upload') return null;
  if (!/^[0-9a-f]{64}$/.test(signature)) return null;
  const expected = digest(parameters, action, signingKey);
  if (!timingSafeEqual(expected, Buffer.from(signature, 'hex'))) return null;
  // From here on every part is as this store wrote it.
  if (Number(expires) * 1000 < now.getTime()) return null;
  return accessOf(parameters, action);
}

function accessOf(parameters: Parameters, action: keyof typeof SIGNED_NAMES): SignedAccess {
  const { key = '', filename } = parameters;
  if (action === 'download') return filename === undefined ? { action, key } : { action, key, filename };
  return {
    action,
    key,
    maxBytes: Number(parameters['max-bytes']),
    contentType: parameters['Content-Type'] ?? '',
  };
}

function sign<T extends { readonly action: string }>(parameters: T, signingKey: string) {
  const action = parameters.action as keyof typeof SIGNED_NAMES;
  return { ...parameters, signature: digest(parameters, action, signingKey).toString('hex') };
}

/** JSON keeps the parts apart, and an absent one from an empty one. */
function digest(parameters: object, action: keyof typeof SIGNED_NAMES, signingKey: string): Buffer {
  const values = SIGNED_NAMES[action].map((name) => (parameters as Partial<Parameters>)[name] ?? null);
  return createHmac('sha256', signingKey).update(JSON.stringify(values)).digest();
}

/** Unix time in seconds. */
function expiry({ now }: Signer, seconds: number): string {
  return String(Math.ceil(now().getTime() / 1000) + seconds);
}
