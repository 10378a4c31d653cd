import { once } from 'node:events';
import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { hostname } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { LocalServer } from '../../../functions/local/server.ts';
import {
  AUDIT,
  COLUMNS,
  freePort,
  type Job,
  jobWith,
  jsonOf,
  post,
  put,
  SLOW_WORKER,
  TABLE,
  until,
  useServers,
} from './serving.ts';

const { makeRoot, serve, spawnServe } = useServers();

describe('the local server', () => {
  it('runs a submitted audit to its report, which opens from its link and downloads by default', async () => {
    const { url, log } = await serve();
    const { jobId } = await jsonOf<Job>(post(`${url}/v1/jobs`, AUDIT));
    const { links = {} } = await jobWith(url, jobId, 'succeeded');
    const report = await fetch(`${links['report.html']}&inline=1`);
    expect(report.headers.get('content-disposition')).toBe('inline');
    expect(report.headers.get('content-security-policy')).toMatch(/^sandbox/);
    expect(await report.text()).toContain('8 samples audited');
    const saved = await fetch(links['audit.json']!);
    expect(saved.headers.get('content-disposition')).toContain('filename="audit.json"');
    expect(((await saved.json()) as { overall: { support: number } }).overall.support).toBe(8);
    expect(log.length).toBeGreaterThan(0);
    for (const line of log) {
      // Times, durations and ids of chance hold any digits; what is left must hold no key, cell, link or stack.
      const { time: _, durationMs: __, requestId: ___, jobId: ____, ...rest } = JSON.parse(line);
      expect(JSON.stringify(rest)).not.toMatch(/scores|uploads|signature|0\.9|node_modules/);
    }
  });

  it('takes a file by its form, and refuses one byte more than the form allows', async () => {
    const { url } = await serve();
    const upload = async (content: string, bytes: number) => {
      const { key, form } = await jsonOf<{
        key: string;
        form: { url: string; fields: Record<string, string> };
      }>(post(`${url}/v1/uploads`, { name: 'scores.csv', bytes }));
      const body = new FormData();
      for (const [name, value] of Object.entries(form.fields)) body.append(name, value);
      body.append('file', new Blob([content]), 'scores.csv');
      return { key, status: (await fetch(form.url, { method: 'POST', body })).status };
    };
    const { key, status } = await upload(TABLE, TABLE.length);
    expect(status).toBe(204);
    const answer = await post(`${url}/v1/audits`, { ...AUDIT, predictions: key });
    expect(answer.status).toBe(200);
    expect((await upload(TABLE, TABLE.length - 1)).status).toBe(413);
  });

  it('starts the job of files that somebody drops into uploads/', async () => {
    const { url, root } = await serve({ command: SLOW_WORKER });
    await put(root, 'uploads/drop/scores.csv', TABLE);
    await put(root, 'uploads/drop/counterweight.json', JSON.stringify({ kind: 'audit', columns: COLUMNS }));
    const jobs = await until(async () => {
      const { jobs } = await jsonOf<{ jobs: Job[] }>(fetch(`${url}/v1/jobs`));
      return jobs.length > 0 && jobs;
    });
    expect(jobs).toHaveLength(1);
  });

  it('runs a definition and shows its report', async () => {
    const { url, root } = await serve();
    const definition = {
      request: AUDIT,
      every: { days: 1 },
      policy: { name: 'ours', rules: [{ metric: 'demographicParityDifference', max: 0.9 }] },
    };
    await put(root, 'definitions/weekly.json', JSON.stringify(definition));
    const [audit] = await until(async () => {
      const { audits } = await jsonOf<{ audits: { report: string; verdict: string }[] }>(
        fetch(`${url}/local/audits`),
      );
      return audits.length > 0 && audits;
    });
    expect(audit!.verdict).toBe('pass');
    expect(await (await fetch(`${url}${audit!.report}`)).text()).toContain('8 samples audited');
  });

  it('shows progress and cancels what runs', async () => {
    const { url } = await serve({ command: SLOW_WORKER });
    const { jobId } = await jsonOf<Job>(post(`${url}/v1/jobs`, AUDIT));
    const job = await until(async () => {
      const found = await jsonOf<Job>(fetch(`${url}/v1/jobs/${jobId}`));
      return found.progress !== undefined && found;
    });
    expect(job.progress).toMatchObject({ stage: 'stage 1', done: 3, total: 10 });
    expect((await fetch(`${url}/v1/jobs/${jobId}`, { method: 'DELETE' })).status).toBe(200);
    await jobWith(url, jobId, 'cancelled');
  });

  it('refuses a second server on its root, and gives the root free when it stops', async () => {
    const first = await serve();
    await expect(serve({ root: first.root })).rejects.toThrow('no other server uses');
    await first.close();
    const second = await serve({ root: first.root });
    expect(await readdir(path.join(first.root, '.counterweight/server'))).toHaveLength(1);
    expect((await fetch(`${second.url}/v1/jobs`)).status).toBe(200);
  });

  it('tells requests to come again until it has looked after the jobs of an earlier one', async () => {
    const root = await makeRoot();
    const time = new Date().toISOString();
    const record = { schemaVersion: 1, request: { ...AUDIT, threshold: 0.5 }, status: 'succeeded' };
    for (const jobId of Array.from({ length: 300 }, (_, index) => `zt-${index}`)) {
      const job = { ...record, jobId, createdAt: time, updatedAt: time, queueIds: ['q'] };
      await put(root, `jobs/${jobId}/record.json`, JSON.stringify(job));
    }
    const port = await freePort();
    const started = serve({ root, port });
    const statuses = new Set<number>();
    while (!statuses.has(200)) {
      const answer = await fetch(`http://127.0.0.1:${port}/v1/jobs`).catch(() => null);
      if (answer === null) await sleep(1);
      else statuses.add(answer.status);
    }
    await started;
    expect([...statuses]).toEqual([503, 200]);
  });

  it('that cannot start leaves neither its port nor its root taken', async () => {
    const root = await makeRoot();
    const port = await freePort();
    await rm(path.join(root, 'uploads'), { recursive: true });
    await writeFile(path.join(root, 'uploads'), 'no folder');
    await expect(serve({ root, port })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await rm(path.join(root, 'uploads'));
    const { url } = await serve({ root, port });
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });

  it('names itself in links by its public address, and by the name of its machine when it listens everywhere', async () => {
    const token = 'a-token-of-32-characters-exactly';
    const headers = { authorization: `Bearer ${token}` };
    const linkOf = async (server: LocalServer, local: string) => {
      const upload = post(`${local}/v1/uploads`, { name: 'a.csv', bytes: 1 }, headers);
      const { form } = await jsonOf<{ form: { url: string } }>(upload);
      return [server.url, form.url];
    };
    const port = await freePort();
    const proxied = await serve({ token, port, publicUrl: 'https://fair.example' });
    expect(await linkOf(proxied, `http://127.0.0.1:${port}`)).toEqual([
      'https://fair.example',
      'https://fair.example/upload',
    ]);
    const everywhere = await serve({ token, host: '0.0.0.0' });
    const own = `http://${hostname()}:${new URL(everywhere.url).port}`;
    const local = `http://127.0.0.1:${new URL(everywhere.url).port}`;
    expect(await linkOf(everywhere, local)).toEqual([own, `${own}/upload`]);
  });

  it('asks for a token outside loopback', async () => {
    const root = await makeRoot();
    await expect(serve({ root, host: '0.0.0.0' })).rejects.toThrow('--token-file');
    await expect(serve({ root, publicUrl: 'https://fair.example' })).rejects.toThrow('--token-file');
    await expect(serve({ root, token: 'short' })).rejects.toThrow('at least 16');
  });

  it('answers 50 audits at once, each with the figures of its own table', async () => {
    const { url, root } = await serve();
    const sizes = Array.from({ length: 50 }, (_, index) => index + 1);
    await Promise.all(
      sizes.map((size) => put(root, `uploads/many/${size}.csv`, `y,sex,p\n${TABLE.slice(8).repeat(size)}`)),
    );
    const times = await Promise.all(
      sizes.map(async (size) => {
        const start = performance.now();
        const answer = await post(`${url}/v1/audits`, { ...AUDIT, predictions: `uploads/many/${size}.csv` });
        expect(answer.status).toBe(200);
        const { overall } = await jsonOf<{ overall: { support: number } }>(answer);
        expect(overall.support).toBe(8 * size);
        return performance.now() - start;
      }),
    );
    times.sort((a, b) => a - b);
    const at = (share: number) => Math.round(times[Math.ceil(share * times.length) - 1]!);
    process.stdout.write(`50 audits at once: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms\n`);
    expect(at(0.99)).toBeLessThan(20_000);
  });
});

describe('strangers', () => {
  it('who hold every connection with half a login are dropped, so that others are heard', async () => {
    const token = 'a-token-of-32-characters-exactly';
    const { url } = await serve({ token, times: { arrivalMs: 400 } });
    const half = 'POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nt';
    const sockets = Array.from({ length: 500 }, () => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {});
      socket.write(half);
      return socket.resume();
    });
    await Promise.all(sockets.map((socket) => once(socket, 'close')));
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });
});

/** Leaves a file when it is told to end. */
const SAVING_WORKER = [
  process.execPath,
  '--input-type=module',
  '--eval',
  `import { writeFileSync } from 'node:fs';
   process.on('SIGTERM', () => {
     writeFileSync(process.env.STORE_ROOT + '/saved', '');
     process.exit(75);
   });
   setInterval(() => {}, 1000);
   writeFileSync(process.env.STORE_ROOT + '/started', '');`,
] as const;

describe('a server that stops', () => {
  it('tells its jobs at once to save what they have, and not only when the last answer is out', async () => {
    const { url, root, close } = await serve({ command: SAVING_WORKER });
    await post(`${url}/v1/jobs`, AUDIT);
    const names = async () => new Set(await readdir(root));
    await until(async () => (await names()).has('started'));
    const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {});
    socket.write('POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nt');
    // An answer to a later connection says that the server knows of this one.
    expect((await fetch(`${url}/health`)).status).toBe(200);
    const closed = close();
    await until(async () => (await names()).has('saved'));
    expect(socket.readyState).toBe('open');
    socket.destroy();
    await closed;
  });

  it('ends its scheduled audits after the one that is under way', async () => {
    let closed: Promise<void> | undefined;
    let verdicts = 0;
    const server = await serve({
      write(line) {
        if (!line.includes('has its verdict')) return;
        verdicts += 1;
        closed ??= server.close();
      },
    });
    const definition = JSON.stringify({ request: AUDIT, every: { days: 1 } });
    for (const name of ['a', 'b', 'c']) await put(server.root, `new/${name}.json`, definition);
    // All at once, so that one turn finds them.
    await rename(path.join(server.root, 'new'), path.join(server.root, 'definitions'));
    await until(async () => verdicts > 0);
    await closed;
    expect(verdicts).toBe(1);
  });
});

describe('a server that is killed', () => {
  it('leaves a job that its successor finishes', async () => {
    const root = await makeRoot();
    const first = await spawnServe(root);
    const { jobId } = await jsonOf<Job>(post(`${first.url}/v1/jobs`, AUDIT));
    await first.kill('SIGKILL');
    const second = await spawnServe(root);
    const job = await jobWith(second.url, jobId, 'succeeded');
    expect(job.links).toHaveProperty(['report.html']);
    expect(await second.kill('SIGTERM')).toBe(0);
  });
});

describe('a server with a token', () => {
  const token = 'a-token-of-32-characters-exactly';

  it('tells strangers nothing, and takes the token or a session that a login began', async () => {
    const { url } = await serve({ token });
    for (const place of ['/v1/jobs', '/local/inputs', '/v1/nothing']) {
      expect((await fetch(`${url}${place}`)).status).toBe(401);
    }
    const bearer = (given: string) => ({ headers: { authorization: `Bearer ${given}` } });
    expect((await fetch(`${url}/v1/jobs`, bearer(token))).status).toBe(200);
    expect((await fetch(`${url}/v1/jobs`, bearer(`${token}x`))).status).toBe(401);
    const login = (given: string) =>
      fetch(`${url}/login`, {
        method: 'POST',
        redirect: 'manual',
        body: new URLSearchParams({ token: given }),
      });
    expect((await login('wrong')).status).toBe(401);
    const cookie = (await login(token)).headers.get('set-cookie')!;
    expect(cookie).toMatch(/HttpOnly; SameSite=Strict/);
    expect((await fetch(`${url}/v1/jobs`, { headers: { cookie: cookie.split(';')[0]! } })).status).toBe(200);
  });
});

describe('hostile requests', () => {
  it('find no way out of the root, no foreign origin, no large body and no stack', async () => {
    const { url } = await serve();
    const attempts = [
      await fetch(`${url}/..%2f..%2fetc/passwd`),
      await fetch(
        `${url}/download?action=download&key=..%2F..%2Fetc%2Fpasswd&expires=9999999999&signature=${'0'.repeat(64)}`,
      ),
      await fetch(`${url}/local/audits/..%2f..%2fx/20260101T000000Z`),
      await post(`${url}/v1/jobs`, AUDIT, { origin: 'https://evil.example' }),
      await post(`${url}/v1/jobs`, AUDIT, { origin: 'null' }),
      await post(`${url}/v1/jobs`, `"${'x'.repeat(2 ** 20)}"`),
      await post(`${url}/upload`, 'x'),
      await fetch(`${url}/v1/jobs`, { method: 'PUT' }),
    ];
    expect(attempts.map(({ status }) => status)).toEqual([404, 403, 404, 403, 403, 413, 400, 405]);
    for (const answer of attempts)
      expect(await answer.text()).not.toMatch(/\bat .*:\d+|node_modules|\/tmp\//);
  });
});
