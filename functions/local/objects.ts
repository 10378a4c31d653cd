import type { IncomingMessage } from 'node:http';
import path from 'node:path';
import { Readable } from 'node:stream';
import { InvalidInputError } from '../../core/errors.ts';
import { EXPLORER_SCRIPT } from '../../core/report/audit/explorer.ts';
import { scriptSource } from '../../core/report/page/page.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import { type SignedAccess, verifySignature } from '../../core/storage/signed-access.ts';
import { contentDisposition } from '../../core/storage/store-input.ts';
import type { Problem } from '../lib/problem.ts';
import type { Arrival } from './arrival.ts';
import { readForm } from './multipart.ts';
import { problemReply, type Reply, TOO_LARGE } from './reply.ts';

export interface ObjectDeps {
  readonly store: ObjectStore;
  readonly signingKey: string;
  readonly now: () => Date;
  /** Between two pieces of an upload, at most. */
  readonly pauseMs: number;
}

/**
 * A report may show itself and nothing else: no script but the one that moves its threshold, no request, no form, no
 * origin that has our cookie.
 */
export const DOCUMENT_POLICY = `sandbox allow-popups allow-scripts; default-src 'none'; ${scriptSource(EXPLORER_SCRIPT)}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** Types of what jobs publish, by ending; anything else is bytes to save. */
const TYPES: Readonly<Record<string, string>> = {
  '.csv': 'text/csv; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.json': 'application/json',
  '.md': 'text/plain; charset=utf-8',
  '.png': 'image/png',
};

const NOT_SIGNED: Problem = {
  status: 403,
  code: 'NOT_SIGNED',
  message: 'signature: expected one of this server that has not expired, received another or none',
};
const NOT_FOUND: Problem = { status: 404, code: 'NOT_FOUND', message: 'object: expected one, found none' };

interface Call {
  readonly request: IncomingMessage;
  readonly url: URL;
  readonly requestId: string;
  readonly arrival: Arrival;
}

/** GET /download: the object that a URL is signed for; with `inline` it is shown, where its type is safe to show. */
export async function download(
  { store, ...terms }: ObjectDeps,
  { url, requestId }: Omit<Call, 'arrival'>,
): Promise<Reply> {
  const access = verifySignature(Object.fromEntries(url.searchParams), verifyTerms(terms));
  if (access?.action !== 'download') return problemReply(NOT_SIGNED, requestId);
  const info = await store.info(access.key);
  const body = info === null ? null : await store.readStream(access.key);
  if (info === null || body === null) return problemReply(NOT_FOUND, requestId);
  const type = TYPES[path.posix.extname(access.key)];
  const isShown = url.searchParams.has('inline') && type !== undefined;
  const headers = {
    'content-type': type ?? 'application/octet-stream',
    'content-length': String(info.bytes),
    'content-security-policy': DOCUMENT_POLICY,
    'content-disposition': isShown ? 'inline' : contentDisposition(filenameOf(access)),
  };
  return { status: 200, headers, body };
}

/** POST /upload: a form of this server with its file, which appears whole or not at all. */
export async function upload(deps: ObjectDeps, { request, requestId, arrival }: Call): Promise<Reply> {
  const { fields, file } = await readForm(bytesOf(request), request.headers['content-type'] ?? '');
  const access = verifySignature(fields, verifyTerms(deps));
  if (access?.action !== 'upload') return problemReply(NOT_SIGNED, requestId);
  // Only who was given a form may take the time that a large file needs.
  arrival.allowPauses(deps.pauseMs);
  const { key, maxBytes, contentType } = access;
  let isTooLarge = false;
  const limited = async function* () {
    let bytes = 0;
    for await (const chunk of file) {
      bytes += chunk.length;
      isTooLarge = bytes > maxBytes;
      if (isTooLarge) throw new InvalidInputError('file: expected no more bytes than its form takes');
      yield chunk;
    }
  };
  try {
    await deps.store.writeStream(key, Readable.from(limited(), { objectMode: false }), { contentType });
  } catch (error) {
    if (isTooLarge) return problemReply(TOO_LARGE, requestId);
    throw error;
  }
  return { status: 204, headers: {}, body: '' };
}

function verifyTerms({ signingKey, now }: Pick<ObjectDeps, 'signingKey' | 'now'>) {
  return { signingKey, now: now() };
}

function filenameOf({ key, filename }: Extract<SignedAccess, { action: 'download' }>): string {
  return filename ?? path.posix.basename(key);
}

/** Leaves the connection open when the reader stops early, so that it can still be answered. */
function bytesOf(request: IncomingMessage): AsyncIterable<Buffer> {
  return request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
}
