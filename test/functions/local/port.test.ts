import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openPort } from '../../../functions/local/port.ts';

const HOST = '127.0.0.1';

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
    // The client would keep its connection for seconds.
    const start = performance.now();
    await closed;
    expect(performance.now() - start).toBeLessThan(1000);
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
