import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll } from 'vitest';
import { refusalOf } from './post-policy.ts';

/**
 * What becomes of a request: passed on; cut before it reaches the server; done by the server but its answer lost;
 * answered up to the middle of the body; refused with an error of S3.
 */
export type Fate =
  | 'pass'
  | 'cut'
  | 'lose-answer'
  | 'cut-answer'
  | { readonly status: number; readonly code: string; readonly message?: string };

export interface Call {
  /** From 1 on, over all calls since the last reset. */
  readonly number: number;
  readonly method: string;
  readonly path: string;
}

export interface ProxyOptions {
  /** Set for the forms' policies to be checked, as S3 does. */
  readonly secretAccessKey?: string;
}

export interface S3Proxy {
  /** Set once the tests of the file run. */
  readonly endpoint: string;
  /** Since the last reset. */
  readonly calls: readonly Call[];
  /** Forgets the calls, and sets what becomes of those to come. */
  reset(fateOf?: (call: Call) => Fate): void;
}

/**
 * HTTP proxy on the loopback in front of an S3 server, one request at a time: moto checks a condition and writes in
 * two steps, between which another thread may write.
 */
export function useS3Proxy(server: { readonly endpoint: string }, options: ProxyOptions = {}): S3Proxy {
  const state = { fateOf: (_: Call): Fate => 'pass', calls: [] as Call[], line: Promise.resolve() };
  let endpoint = '';
  let http: Server;
  beforeAll(async () => {
    http = createServer((incoming, response) => {
      const call = { number: state.calls.length + 1, method: incoming.method!, path: incoming.url! };
      state.calls.push(call);
      const fate = state.fateOf(call);
      state.line = state.line
        .then(() => answer({ incoming, response, fate }, server.endpoint, options))
        .catch(() => void response.destroy());
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    endpoint = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    http.closeAllConnections();
    http.close();
  });
  return {
    get endpoint() {
      return endpoint;
    },
    get calls() {
      return state.calls;
    },
    reset(fateOf = () => 'pass') {
      Object.assign(state, { fateOf, calls: [] });
    },
  };
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  readonly fate: Fate;
}

async function answer(
  { incoming, response, fate }: Exchange,
  target: string,
  { secretAccessKey }: ProxyOptions,
): Promise<void> {
  if (fate === 'cut') {
    incoming.socket.destroy();
    return;
  }
  const body = await buffer(incoming);
  const refusal = typeof fate === 'object' ? fate : await formRefusal(incoming, body, secretAccessKey);
  if (refusal !== null) {
    const { status, code, message = 'no' } = refusal as { status: number; code: string; message?: string };
    response.writeHead(status, { 'content-type': 'application/xml' });
    response.end(
      incoming.method === 'HEAD'
        ? ''
        : `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`,
    );
    return;
  }
  const { answered, bytes } = await forward(incoming, body, target);
  if (fate === 'lose-answer') {
    incoming.socket.destroy();
    return;
  }
  response.writeHead(answered.statusCode!, answered.headers);
  if (fate !== 'cut-answer') {
    response.end(bytes);
    return;
  }
  response.write(bytes.subarray(0, bytes.length / 2), () => incoming.socket.destroy());
}

async function formRefusal(incoming: IncomingMessage, body: Buffer, secretAccessKey: string | undefined) {
  const type = incoming.headers['content-type'] ?? '';
  if (secretAccessKey === undefined || !type.startsWith('multipart/form-data')) return null;
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
  return refusalOf(form, secretAccessKey);
}

/** The same request, under the host that the client signed for. */
function forward(
  incoming: IncomingMessage,
  body: Buffer,
  target: string,
): Promise<{ answered: IncomingMessage; bytes: Buffer }> {
  const { expect: _, 'transfer-encoding': __, connection: ___, ...headers } = incoming.headers;
  const { hostname, port } = new URL(target);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        hostname,
        port,
        method: incoming.method,
        path: incoming.url,
        headers: { ...headers, 'content-length': body.length },
        agent: false,
      },
      (answered) => {
        buffer(answered).then((bytes) => resolve({ answered, bytes }), reject);
      },
    );
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}
