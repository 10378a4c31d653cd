import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { jsonOf, post, put, TABLE, until, useServers } from './serving.ts';

const { serve } = useServers();

interface Upload {
  readonly key: string;
  readonly form: { readonly url: string; readonly fields: Readonly<Record<string, string>> };
}

const formFor = (url: string, name: string, bytes: number) =>
  jsonOf<Upload>(post(`${url}/v1/uploads`, { name, bytes }));

function send({ form }: Upload, content: string, changes: Readonly<Record<string, string>> = {}) {
  const body = new FormData();
  for (const [name, value] of Object.entries({ ...form.fields, ...changes })) body.append(name, value);
  body.append('file', new Blob([content]), 'x');
  return fetch(form.url, { method: 'POST', body });
}

/** A form up to its file, with the boundary B. */
function headOf(fields: Readonly<Record<string, string>>): string {
  const parts = Object.entries({ ...fields, file: '' }).map(
    ([name, value]) => `--B\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}`,
  );
  return parts.join('\r\n');
}

/**
 * An upload whose file does not come at once.
 *
 * @param rest  as long as what is to come
 * @param first  what comes of it now
 */
function beginUpload(url: string, fields: Readonly<Record<string, string>>, rest: string, first = '') {
  const head = headOf(fields);
  const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {});
  const lines = [
    'POST /upload HTTP/1.1',
    'Host: 127.0.0.1',
    'Connection: close',
    'Content-Type: multipart/form-data; boundary=B',
    `Content-Length: ${head.length + rest.length}`,
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n${head}${first}`);
  return { socket, answer: text(socket) };
}

/** Where uploads lie, and where they lie before they are whole. */
const filesIn = async (root: string) => {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => `${parentPath}/${name}`);
  return files.filter((file) => /\/uploads\/|\.counterweight\/tmp\//.test(file)).sort();
};

/** What was refused leaves nothing, temporary files included; those may go a moment after the answer. */
async function expectSame(root: string, before: readonly string[]): Promise<void> {
  await until(async () => (await filesIn(root)).join() === before.join());
}

describe('an upload', () => {
  it('appears whole under its key', async () => {
    const { url, root } = await serve();
    const upload = await formFor(url, 'größe 1/scores.csv', Buffer.byteLength(TABLE));
    expect((await send(upload, TABLE)).status).toBe(204);
    expect(await readFile(path.join(root, upload.key), 'utf8')).toBe(TABLE);
  });

  it('appears not at all when it is too long, or under another name, or its form is forged', async () => {
    const { url, root } = await serve();
    const upload = await formFor(url, 'scores.csv', 100);
    const before = await filesIn(root);
    expect((await send(upload, 'x'.repeat(101))).status).toBe(413);
    for (const changes of [
      { key: 'uploads/other/scores.csv' },
      { 'max-bytes': '1000' },
      { 'Content-Type': 'text/html' },
      { expires: '9999999999' },
      { signature: '0'.repeat(64) },
    ]) {
      expect((await send(upload, 'x', changes)).status).toBe(403);
    }
    await expectSame(root, before);
  });

  it('that breaks off leaves nothing', async () => {
    const { url, root } = await serve();
    const { form } = await formFor(url, 'scores.csv', 1000);
    const before = await filesIn(root);
    const body = `${headOf(form.fields)}half of it`;
    const headers = { 'content-type': 'multipart/form-data; boundary=B' };
    expect((await fetch(form.url, { method: 'POST', body, headers })).status).toBe(400);
    await expectSame(root, before);
  });

  it('may take longer than other requests as long as something comes', async () => {
    const { url, root } = await serve({ times: { arrivalMs: 300, pauseMs: 20_000 } });
    const { key, form } = await formFor(url, 'scores.csv', 1000);
    const { socket, answer } = beginUpload(url, { ...form.fields }, `${'0123456789'.repeat(8)}\r\n--B--\r\n`);
    for (let piece = 0; piece < 8; piece += 1) {
      await sleep(80);
      socket.write('0123456789');
    }
    socket.write('\r\n--B--\r\n');
    expect(await answer).toMatch(/^HTTP\/1\.1 204 /);
    expect(await readFile(path.join(root, key), 'utf8')).toBe('0123456789'.repeat(8));
  });

  it.each([
    ['with a signature', {}, { arrivalMs: 30_000, pauseMs: 100 }],
    ['without one', { signature: '0'.repeat(64) }, { arrivalMs: 100, pauseMs: 30_000 }],
  ])('that stops in the middle %s loses its connection, leaves nothing and is no error', async (...row) => {
    const [, changes, times] = row;
    const { url, root, log } = await serve({ times });
    const { form } = await formFor(url, 'scores.csv', 1000);
    const before = await filesIn(root);
    const { answer } = beginUpload(url, { ...form.fields, ...changes }, 'x'.repeat(1000), 'half of it');
    expect(await answer).toMatch(/^HTTP\/1\.1 (?:408|403) /);
    await expectSame(root, before);
    await until(async () => log.some((line) => line.includes('"route":"POST /upload"')));
    expect(log.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });
});

describe('a download', () => {
  it('needs a signature of this server, for this very object', async () => {
    const { url, root } = await serve();
    await put(root, 'results/j/report.html', '<p>secret');
    const query = new URLSearchParams({
      action: 'download',
      key: 'results/j/report.html',
      expires: '9999999999',
    });
    for (const signature of ['', '0'.repeat(64), 'x']) {
      const answer = await fetch(`${url}/download?${query}&signature=${signature}`);
      expect(answer.status).toBe(403);
      expect(await answer.text()).not.toContain('secret');
    }
    const { form } = await formFor(url, 'scores.csv', 10);
    // A form's signature opens no object.
    expect((await fetch(`${url}/download?${new URLSearchParams(form.fields)}`)).status).toBe(403);
  });
});
