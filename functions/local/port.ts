import { randomUUID } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import { InvalidInputError, StorageError } from '../../core/errors.ts';
import type { Problem } from '../lib/problem.ts';
import { problemReply, send } from './reply.ts';

/** An open port. Until somebody answers its requests, each of them is told to come again. */
export interface Port {
  /** Where the port is on this machine. */
  readonly url: string;
  answerWith(listener: RequestListener): void;
  /** Takes no more requests; answers under way have a while to end. */
  close(): Promise<void>;
}

interface PortOptions {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
}

const MAX_CONNECTIONS = 500;
const MAX_HEADER_BYTES = 16 * 1024;
/** For 5 GiB over a slow line. */
const REQUEST_MS = 60 * 60 * 1000;
/** For answers under way when the server stops. */
const LAST_ANSWERS_MS = 5000;
const SWEEP_MS = 50;

const STARTING: Problem = {
  status: 503,
  code: 'STARTING',
  message: 'the server looks after the jobs of an earlier one; try again in a moment',
};

/**
 * @throws StorageError when another program has the port
 * @throws InvalidInputError when this machine has no such address, or keeps the port from this user
 */
export async function openPort({ host, port }: PortOptions): Promise<Port> {
  let answer: RequestListener = (request, response) =>
    void send(request, response, problemReply(STARTING, randomUUID())).catch(() => response.destroy());
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: REQUEST_MS });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('request', (request, response) => answer(request, response));
  await listen(server, { host, port });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${isIPv6(host) ? `[${host}]` : host}:${bound}`,
    answerWith(listener) {
      answer = listener;
    },
    close: () => stopListening(server),
  };
}

function listen(server: Server, { host, port }: PortOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(refusal({ host, port }, cause)));
    server.listen(port, host, resolve);
  });
}

function refusal({ host, port }: PortOptions, cause: NodeJS.ErrnoException): Error {
  const reason = cause.code ?? 'unknown reason';
  if (reason === 'EADDRINUSE') {
    return new StorageError(
      `port: expected one that is free here, received ${port}, which another program has`,
      { where: 'port' },
      { cause },
    );
  }
  return new InvalidInputError(
    `host and port: expected an address of this machine and a port that this user may have, received "${host}" and ${port} (${reason})`,
    { where: 'host' },
    { cause },
  );
}

async function stopListening(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // Clients keep a connection after its last answer, which would keep the server.
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
  const timer = setTimeout(() => server.closeAllConnections(), LAST_ANSWERS_MS);
  await closed;
  clearInterval(sweep);
  clearTimeout(timer);
}
