import { request as httpRequest } from 'node:http';
import { describe, expect, it } from 'vitest';
import { AUDIT, freePort, jsonOf, post, useServers } from './serving.ts';

const { serve } = useServers();

const TOKEN = 'a-token-of-32-characters-exactly';

/** Status of a request line as it is, which `fetch` would tidy up. */
function rawStatus(url: string, path: string, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = httpRequest(url, { path, headers }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    });
    call.on('error', reject).end();
  });
}

describe('every address', () => {
  it('says by a status what is wrong with a request, and names it in a header and in the log', async () => {
    const { url, log } = await serve();
    const calls: [string, RequestInit, number][] = [
      ['/', {}, 200],
      ['/health', {}, 200],
      ['/health', { method: 'POST' }, 405],
      ['/nothing', {}, 404],
      ['/v1/jobs', {}, 200],
      ['/v1/jobs/absent', {}, 404],
      ['/v1/jobs/Not%20An%20Id', {}, 400],
      ['/v1/jobs', { method: 'PATCH' }, 405],
      ['/local/inputs', {}, 200],
      ['/local/columns?table=uploads/table/scores.csv', {}, 200],
      ['/local/columns?table=uploads//x.csv', {}, 400],
      ['/local/audits', {}, 200],
      ['/local/audits/daily/20260101T000000Z', {}, 404],
      ['/download', {}, 403],
      ['/upload', { method: 'POST' }, 400],
      ['/logout', { method: 'POST', redirect: 'manual' }, 303],
    ];
    const lines = log.length;
    for (const [path, init, status] of calls) {
      const answer = await fetch(`${url}${path}`, init);
      await answer.arrayBuffer();
      expect(answer.status, path).toBe(status);
      expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    }
    const logged = log.slice(lines).map((line) => JSON.parse(line) as { message: string; status: number });
    expect(logged.filter(({ message }) => message === 'request').map(({ status }) => status)).toEqual(
      calls.map(([, , status]) => status),
    );
  });

  it('is read as it is written: a host in it is none', async () => {
    const { url } = await serve();
    expect(await rawStatus(url, '//evil.example/v1/jobs')).toBe(404);
    expect(await rawStatus(url, 'http://evil.example/')).toBe(400);
    expect(await rawStatus(url, '/', { host: 'rebound.example' })).toBe(421);
  });
});

describe('a server with a token', () => {
  it('tells a stranger its health and its login form, and nothing else', async () => {
    const { url, log } = await serve({ token: TOKEN });
    for (const path of [
      '/v1/jobs',
      '/v1/nothing',
      '/local/inputs',
      '/local/audits',
      '/local/columns?table=x',
    ]) {
      const answer = await fetch(`${url}${path}`);
      expect(answer.status, path).toBe(401);
      expect(Object.keys(await jsonOf<object>(answer))).toEqual(['code', 'message', 'requestId']);
    }
    expect((await post(`${url}/v1/jobs`, AUDIT)).status).toBe(401);
    const home = await fetch(url);
    expect(home.status).toBe(401);
    expect(await home.text()).toContain('name="token"');
    expect((await fetch(`${url}/health`)).status).toBe(200);
    expect(log.join('')).not.toContain(TOKEN);
  });

  it('lets nobody guess: it stops to listen, to logins and programs alike', async () => {
    const { url } = await serve({ token: TOKEN });
    const login = (token: string) =>
      fetch(`${url}/login`, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ token }) });
    for (let tries = 0; tries < 10; tries += 1) expect((await login(`guess ${tries}`)).status).toBe(401);
    const refused = await login(TOKEN);
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('60');
    expect(await refused.text()).toContain('Too many wrong tokens');
    const headers = { authorization: `Bearer ${TOKEN}` };
    expect((await fetch(`${url}/v1/jobs`, { headers })).status).toBe(429);
  });

  it.each([
    [
      'which it is said to stand behind, that tells clients apart',
      { publicUrl: 'https://fair.example' },
      401,
    ],
    ['of which nobody told it', {}, 429],
  ])('hears a proxy %s', async (_, options, status) => {
    const port = await freePort();
    await serve({ token: TOKEN, port, ...options });
    const guess = (client: string) => {
      const headers = { authorization: 'Bearer wrong', 'x-forwarded-for': client };
      return fetch(`http://127.0.0.1:${port}/v1/jobs`, { headers });
    };
    for (let tries = 0; tries < 10; tries += 1) await guess('198.51.100.7');
    expect((await guess('198.51.100.7')).status).toBe(429);
    expect((await guess('198.51.100.8')).status).toBe(status);
  });

  it('takes no login of more bytes than a token has', async () => {
    const { url } = await serve({ token: TOKEN });
    const body = new URLSearchParams({ token: 'x'.repeat(5000) });
    expect((await fetch(`${url}/login`, { method: 'POST', body })).status).toBe(413);
  });
});
