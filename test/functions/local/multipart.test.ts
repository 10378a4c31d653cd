import { describe, expect, it } from 'vitest';
import { readForm } from '../../../functions/local/multipart.ts';

const TYPE = 'multipart/form-data; boundary=XYZ';

/** A body in pieces of so many bytes. */
async function* inPieces(body: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let start = 0; start < body.length; start += size) yield body.subarray(start, start + size);
}

const field = (name: string, value: string) =>
  `--XYZ\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const FILE_HEAD =
  '--XYZ\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\n';

async function read(body: Buffer | string, { size = 7, type = TYPE } = {}) {
  const { fields, file } = await readForm(inPieces(Buffer.from(body), size), type);
  const chunks: Buffer[] = [];
  for await (const chunk of file) chunks.push(chunk);
  return { fields, file: Buffer.concat(chunks) };
}

describe('a posted form', () => {
  it.each([1, 2, 7, 64, 100_000])('is read whole from pieces of %i bytes', async (size) => {
    // Whatever looks like a delimiter but is none belongs to the file.
    const content = Buffer.concat([
      Buffer.from('\r\n--XY\r\n--\r\n\r\n--XYA'),
      Buffer.from(Array.from({ length: 300 }, (_, index) => index % 256)),
      Buffer.from('\r\n'),
    ]);
    const head = `${field('key', 'uploads/ä.csv')}${field('empty', '')}${FILE_HEAD}`;
    const body = Buffer.concat([Buffer.from(head), content, Buffer.from('\r\n--XYZ--\r\n')]);
    const form = await read(body, { size });
    expect(form.fields).toEqual({ key: 'uploads/ä.csv', empty: '' });
    expect(form.file).toEqual(content);
  });

  it('is read as browsers and undici write it', async () => {
    const data = new FormData();
    data.append('key', 'a"b');
    data.append('file', new Blob(['y,p\n1,0.5\n']), 'x.csv');
    const request = new Response(data);
    const type = request.headers.get('content-type')!;
    const form = await read(Buffer.from(await request.arrayBuffer()), { type });
    expect(form.file.toString()).toBe('y,p\n1,0.5\n');
    expect(Object.keys(form.fields)).toEqual(['key']);
  });

  it.each([
    ['another type', field('a', 'b'), { type: 'application/json' }],
    ['no boundary', field('a', 'b'), { type: 'multipart/form-data' }],
    ['no file', `${field('a', 'b')}--XYZ--\r\n`, {}],
    ['a part without a name', '--XYZ\r\nContent-Type: text/plain\r\n\r\nx\r\n--XYZ--\r\n', {}],
    ['too many fields', `${field('a', 'b').repeat(60)}${FILE_HEAD}x\r\n--XYZ--`, {}],
    ['a head that never ends', field('a', 'x'.repeat(70_000)), { size: 10_000 }],
    ['nothing', '', {}],
    ['a file without its end', `${FILE_HEAD}half of it`, {}],
  ])('is refused with %s', async (_, body, options) => {
    await expect(read(body, options)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  it('of many megabytes is passed on in pieces, not gathered', async () => {
    const piece = Buffer.alloc(65_536, 'x');
    async function* body() {
      yield Buffer.from(FILE_HEAD);
      for (let count = 0; count < 256; count += 1) yield piece;
      yield Buffer.from('\r\n--XYZ--\r\n');
    }
    let most = 0;
    let bytes = 0;
    const { file } = await readForm(body(), TYPE);
    for await (const chunk of file) {
      most = Math.max(most, chunk.length);
      bytes += chunk.length;
    }
    expect(bytes).toBe(256 * piece.length);
    expect(most).toBeLessThanOrEqual(2 * piece.length);
  });
});
