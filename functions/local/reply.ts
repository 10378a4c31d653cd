import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Problem } from '../lib/problem.ts';

/** What goes back over HTTP. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Readable;
}

/** Of every answer; one with markup brings its own policy. */
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  // With `no-referrer` a browser would call the origin of our own forms `null`.
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

export function jsonReply(status: number, content: unknown): Reply {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(content) };
}

export function htmlReply(status: number, body: string, policy: string): Reply {
  const headers = { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy };
  return { status, headers, body };
}

export function redirect(location: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 303, headers: { location, ...headers }, body: '' };
}

export function problemReply({ status, ...problem }: Problem, requestId: string): Reply {
  const headers = {
    'content-type': 'application/problem+json',
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    ...(status === 429 && { 'retry-after': '60' }),
    ...(status === 503 && { 'retry-after': '5' }),
  };
  return { status, headers, body: JSON.stringify({ ...problem, requestId }) };
}

export const TOO_LARGE: Problem = {
  status: 413,
  code: 'TOO_LARGE',
  message: 'body: expected no more bytes than this address takes, received more',
};

/** Sends an answer. A body that nobody has read yet ends the connection, since its rest would look like a request. */
export async function send(request: IncomingMessage, response: ServerResponse, reply: Reply): Promise<void> {
  const { status, headers, body } = reply;
  const isUnread = !request.complete;
  response.writeHead(status, { ...HEADERS, ...headers, ...(isUnread && { connection: 'close' }) });
  if (isUnread) request.resume();
  if (typeof body === 'string') response.end(body);
  else await pipeline(body, response);
}

/** The whole body; null when it has more than `most` bytes. */
export async function readBody(request: IncomingMessage, most: number): Promise<Buffer | null> {
  if (Number(request.headers['content-length'] ?? 0) > most) return null;
  const chunks: Buffer[] = [];
  let bytes = 0;
  const iterator = request.iterator({ destroyOnReturn: false });
  for await (const chunk of iterator as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > most) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
