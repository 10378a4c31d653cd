import { randomUUID } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, isIPv6, type Socket } from 'node:net';
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
  /** Is an address one that many clients come from? */
  readonly isProxy: (address: string) => boolean;
}

const MAX_CONNECTIONS = 500;
/** Of one client, so that none takes all. */
const MAX_FROM_ADDRESS = 100;
const MAX_HEADER_BYTES = 16 * 1024;
/** For a request's head; who connects and says nothing counts as well. */
const HEADERS_MS = 15_000;
const CHECK_MS = 5000;
/** For 5 GiB over a slow line; most requests get far less from the listener. */
const REQUEST_MS = 60 * 60 * 1000;
/** Without a byte in either direction: a client that has gone, or does not take its answer. */
const IDLE_MS = 5 * 60 * 1000;
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
export async function openPort({ host, port, isProxy }: PortOptions): Promise<Port> {
  let answer: RequestListener = (request, response) =>
    void send(request, response, problemReply(STARTING, randomUUID())).catch(() => response.destroy());
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_MS,
    requestTimeout: REQUEST_MS,
    connectionsCheckingInterval: CHECK_MS,
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(IDLE_MS);
  server.on('connection', limitConnections(isProxy));
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

/** Drops what an address has too many of. */
function limitConnections(isProxy: PortOptions['isProxy']): (socket: Socket) => void {
  const counts = new Map<string, number>();
  return (socket) => {
    const { remoteAddress: address = '' } = socket;
    if (isProxy(address)) return;
    const count = (counts.get(address) ?? 0) + 1;
    if (count > MAX_FROM_ADDRESS) {
      socket.destroy();
      return;
    }
    counts.set(address, count);
    socket.once('close', () => {
      const left = counts.get(address)! - 1;
      if (left === 0) counts.delete(address);
      else counts.set(address, left);
    });
  };
}

function listen(server: Server, { host, port }: Pick<PortOptions, 'host' | 'port'>): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(refusal({ host, port }, cause)));
    server.listen(port, host, resolve);
  });
}

function refusal({ host, port }: Pick<PortOptions, 'host' | 'port'>, cause: NodeJS.ErrnoException): Error {
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
