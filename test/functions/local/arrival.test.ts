import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { type Arrival, limitArrival } from '../../../functions/local/arrival.ts';

const servers: ReturnType<typeof createServer>[] = [];
afterEach(() => void vi.useRealTimers());
afterAll(() => Promise.all(servers.map((server) => server.close())));

/** Answers with the body, once it is whole. */
async function listen(ms: number, use: (request: IncomingMessage, arrival: Arrival) => unknown = () => null) {
  const failures: unknown[] = [];
  const server = createServer(async (request, response) => {
    const arrival = limitArrival(request, response, ms);
    try {
      await use(request, arrival);
      response.end(await text(request));
    } catch (error) {
      failures.push(error);
    }
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, failures };
}

/** A request of 10 bytes, of which these come at once. */
function begin(port: number, body: string): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.write(`POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 10\r\n\r\n${body}`);
  return socket;
}

describe('a request that does not come in full', () => {
  it('is told so and loses its connection, and whoever reads it hears of it', async () => {
    const { port, failures } = await listen(100);
    expect(await text(begin(port, '1'))).toMatch(/^HTTP\/1\.1 408 /);
    expect(failures).toHaveLength(1);
  });

  it('is not helped by a byte now and then', async () => {
    const { port } = await listen(300);
    const socket = begin(port, '1');
    const drip = setInterval(() => socket.write('x'), 100);
    // Ten bytes would take 900 ms.
    expect(await text(socket.on('error', () => {}))).toMatch(/^HTTP\/1\.1 408 /);
    clearInterval(drip);
  });

  it('may be given time as long as something comes, and no longer', async () => {
    const { port } = await listen(50, (_, arrival) => arrival.allowPauses(10_000));
    const socket = begin(port, '1');
    for (const byte of '234567890') {
      await sleep(20);
      socket.write(byte);
    }
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 [\s\S]*1234567890/);
    const quick = await listen(60_000, (_, arrival) => arrival.allowPauses(50));
    expect(await text(begin(quick.port, '1'))).toMatch(/^HTTP\/1\.1 408 /);
  });
});

describe('a request that came in full', () => {
  it('waits for its answer as long as that takes', async () => {
    const { port } = await listen(20, () => sleep(150));
    expect(await text(begin(port, '1234567890'))).toMatch(/^HTTP\/1\.1 200 [\s\S]*1234567890/);
  });

  it.each<[string, (request: IncomingMessage) => Promise<unknown>]>([
    ['closed before', (request) => once(request.resume(), 'close')],
    [
      'is read no further than to its last byte',
      (request) => request.iterator({ destroyOnReturn: false }).next(),
    ],
  ])('keeps neither a timer nor the process when it is given time and %s', async (_, read) => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { port } = await listen(60_000, async (request, arrival) => {
      await read(request);
      arrival.allowPauses(1000);
    });
    const isRunning = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    // The test runner has timers of its own, which end within moments; one that keeps the process does not.
    const none = async () => {
      for (let pauses = 0; isRunning() > 0 && pauses < 100; pauses += 1) await sleep(10);
      return isRunning();
    };
    expect(await none()).toBe(0);
    begin(port, '1234567890').resume();
    await vi.waitUntil(() => vi.getTimerCount() === 1);
    expect(await none()).toBe(0);
    vi.advanceTimersByTime(1000);
    expect(vi.getTimerCount()).toBe(0);
  });
});
