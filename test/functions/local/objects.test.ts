import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { jsonOf, post, put, serve, TABLE, until } from './serving.ts';

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
    const part = (name: string, value: string) =>
      `--B\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
    const fields = Object.entries(form.fields).map(([name, value]) => part(name, value));
    const body = `${fields.join('')}--B\r\nContent-Disposition: form-data; name="file"\r\n\r\nhalf of it`;
    const headers = { 'content-type': 'multipart/form-data; boundary=B' };
    expect((await fetch(form.url, { method: 'POST', body, headers })).status).toBe(400);
    await expectSame(root, before);
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
