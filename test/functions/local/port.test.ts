import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openPort as open, type Port } from '../../../functions/local/port.ts';
import { until } from './serving.ts';

const HOST = '127.0.0.1';

/** By default every client is a proxy, which may have as many connections as there are. */
const openPort = (options: {
  readonly host: string;
  readonly port: number;
  readonly isProxy?: () => boolean;
}) => open({ isProxy: () => true, ...options });

/** Connections that ask for nothing; `gone` counts those that the other end has closed. */
async function connectAll(port: Port, count: number) {
  const sockets: Socket[] = [];
  let gone = 0;
  const settled = Array.from({ length: count }, async () => {
    const socket = connect(Number(new URL(port.url).port), HOST);
    sockets.push(socket);
    socket.on('error', () => {});
    socket.once('close', () => {
      gone += 1;
    });
    await once(socket, 'connect');
  });
  await Promise.all(settled);
  return { gone: () => gone, close: () => sockets.map((socket) => socket.destroy()) };
}

describe('an open port', () => {
  it('tells requests to come again until somebody answers them', async () => {
    const port = await openPort({ host: HOST, port: 0 });
    const early = await fetch(port.url, { method: 'POST', body: 'x' });
    expect(early.status).toBe(503);
    expect(early.headers.get('retry-after')).toBe('5');
    expect(await early.json()).toMatchObject({ code: 'STARTING' });
    port.answerWith((_, response) => response.end('here'));
    expect(await (await fetch(port.url)).text()).toBe('here');
    await port.close();
    await expect(fetch(port.url)).rejects.toThrow();
  });

  it('lets answers under way end when it closes', async () => {
    const port = await openPort({ host: HOST, port: 0 });
    port.answerWith(async (_, response) => {
      response.write('half, ');
      await sleep(100);
      response.end('whole');
    });
    const answer = await fetch(port.url);
    const closed = port.close();
    expect(await answer.text()).toBe('half, whole');
    // The client would keep its connection for five seconds.
    const start = performance.now();
    await closed;
    expect(performance.now() - start).toBeLessThan(4000);
  });

  it('says who is to blame when it cannot be had', async () => {
    const other = createServer().listen(0, HOST);
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    await expect(openPort({ host: HOST, port })).rejects.toMatchObject({ code: 'STORAGE' });
    other.close();
    await expect(openPort({ host: '192.0.2.1', port: 0 })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await expect(openPort({ host: 'no-such-name.invalid', port: 0 })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
  });

  it('has a number in brackets where its address is of IPv6', async () => {
    const port = await openPort({ host: '::1', port: 0 }).catch(() => null);
    if (port === null) return; // this machine has no IPv6
    expect(port.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
    await port.close();
  });
});

describe('connections', () => {
  it('of one address are 100 at a time, so that it takes no place from others', async () => {
    const port = await openPort({ host: HOST, port: 0, isProxy: () => false });
    port.answerWith((_, response) => response.end('here'));
    const crowd = await connectAll(port, 120);
    await until(async () => crowd.gone() === 20);
    crowd.close();
    // Those that end make room for others.
    await until(() => fetch(port.url).catch(() => null));
    await port.close();
  });

  it('of a proxy may be more', async () => {
    const port = await openPort({ host: HOST, port: 0 });
    port.answerWith((_, response) => response.end('here'));
    const crowd = await connectAll(port, 120);
    expect((await fetch(port.url)).status).toBe(200);
    expect(crowd.gone()).toBe(0);
    crowd.close();
    await port.close();
  });
});
