import { mkdir, realpath, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadManifest } from '../../../core/data/manifest.ts';
import { parsePreprocess, type TableFeature, type TablePreprocess } from '../../../core/data/preprocess.ts';
import { useTempFolder } from '../../helpers/files.ts';

const folder = useTempFolder();
const base = { label: 'y', sensitiveFeatures: ['sex'] };
const columns = { ...base, image: 'file' };

function features(...given: readonly unknown[]): readonly TableFeature[] {
  return (parsePreprocess({ features: given }, 'test') as TablePreprocess).features;
}

beforeAll(async () => {
  await folder.write('outside.png', 'x');
  for (const name of ['a.png', 'b.png', 'sub/c.png']) await folder.write(`set/${name}`, 'x');
  await mkdir(folder.at('set/folder'));
  await symlink('a.png', folder.at('set/alias.png'));
  await symlink('../outside.png', folder.at('set/escape.png'));
  await symlink('nowhere.png', folder.at('set/broken.png'));
  await symlink('loop.png', folder.at('set/loop.png'));
});

const write = (files: readonly string[]) =>
  folder.write('set/manifest.csv', `file,y,sex\n${files.map((file) => `${file},1,f\n`).join('')}`);

describe('loadManifest, images', () => {
  it('keeps paths as the manifest spells them, with root and lines', async () => {
    const path = await write(['a.png', './sub/../b.png', 'sub/c.png']);
    await expect(loadManifest(path, columns)).resolves.toMatchObject({
      size: 3,
      input: {
        kind: 'image',
        root: await realpath(folder.at('set')),
        paths: ['a.png', './sub/../b.png', 'sub/c.png'],
        lines: Int32Array.of(2, 3, 4),
      },
    });
  });

  it('starts paths from another root when told', async () => {
    const path = await folder.write('elsewhere/m.csv', 'file,y,sex\nc.png,1,f\n');
    const manifest = await loadManifest(path, columns, { root: folder.at('set/sub') });
    expect(manifest.input).toMatchObject({ paths: ['c.png'] });
  });

  it('follows a link that stays inside', async () => {
    await expect(loadManifest(await write(['alias.png']), columns)).resolves.toMatchObject({ size: 1 });
  });

  it('keeps the order of a long manifest', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `many/${index}.png`);
    await Promise.all(names.map((name) => folder.write(`set/${name}`, 'x')));
    const { input } = await loadManifest(await write(names), columns);
    expect(input).toMatchObject({ paths: names });
  });

  const rule = "expected an image's path relative to the manifest's folder (or root), received";
  it.each([
    ['', 'an empty cell'],
    ['/etc/hostname', '"/etc/hostname", which is absolute'],
    ['C:\\a.png', '"C:\\\\a.png", which is absolute'],
    ['../outside.png', '"../outside.png", which leaves that folder'],
    ['sub/../../outside.png', '"sub/../../outside.png", which leaves that folder'],
    ['.', '".", which leaves that folder'],
    ['escape.png', '"escape.png", which links to a place outside that folder'],
    ['broken.png', '"broken.png", which does not exist'],
    ['absent.png', '"absent.png", which does not exist'],
    ['loop.png', '"loop.png", which cannot be read (ELOOP)'],
    ['folder', '"folder", which is no file'],
  ])('refuses the path %j', async (file, received) => {
    const path = await write(['a.png', file]);
    await expect(loadManifest(path, columns)).rejects.toMatchObject({
      name: 'InvalidInputError',
      message: `${path}, line 3, column "file": ${rule} ${received}`,
    });
  });

  it.each(['b.png', './b.png', 'sub/../b.png'])(
    'refuses an image listed twice, also as %s',
    async (again) => {
      const path = await write(['a.png', 'b.png', 'sub/c.png', again]);
      await expect(loadManifest(path, columns)).rejects.toMatchObject({
        name: 'InvalidInputError',
        message: `${path}, lines 3 and 5: expected each image once, received "${again}" twice`,
        details: { lines: [3, 5] },
      });
    },
  );

  it('sees through a link to an image that is listed already', async () => {
    await expect(loadManifest(await write(['alias.png', 'a.png']), columns)).rejects.toThrow(/lines 2 and 3/);
  });

  it('names the first bad line, whichever file was looked up first', async () => {
    await expect(loadManifest(await write(['a.png', 'x.png', '../y.png', '']), columns)).rejects.toThrow(
      /line 3,/,
    );
  });

  it('throws a StorageError for a root that is absent', async () => {
    const root = folder.at('absent');
    await expect(loadManifest(await write(['a.png']), columns, { root })).rejects.toMatchObject({
      name: 'StorageError',
      message: `${root}: cannot be read (ENOENT)`,
    });
  });

  it.each([
    [base, undefined, 'neither'],
    [columns, features({ column: 'age' }), 'both'],
  ])('wants images or features', async (given, wanted, received) => {
    const path = await write(['a.png']);
    const options = wanted === undefined ? {} : { features: wanted };
    await expect(loadManifest(path, given, options)).rejects.toMatchObject({
      name: 'InvalidInputError',
      message: `${path}: expected an image column (--image) or feature columns in the preprocess, received ${received}`,
    });
  });
});

describe('loadManifest, features', () => {
  const wanted = features(
    { column: 'age', missing: 40 },
    { column: 'sex', categories: ['m', 'f'] },
    { column: 'work', categories: ['a', 'b'], unknown: 'zeros' },
    { column: 'pay' },
  );
  const read = async (rows: string) =>
    loadManifest(await folder.write('table.csv', `y,sex,age,work,pay\n${rows}`), base, { features: wanted });

  it('reads numbers, and categories as indices', async () => {
    const manifest = await read('1,f,30,b,1600000001\n0,m,,c,-1e-3\n0,f,5,,0\n');
    expect(manifest.input).toEqual({
      kind: 'table',
      columns: ['age', 'sex', 'work', 'pay'],
      // 1600000001 is no float32
      values: Float64Array.of(30, 1, 1, 1_600_000_001, 40, 0, -1, -1e-3, 5, 1, -1, 0),
    });
    expect(manifest.sensitiveFeatures[0]!.groupNames).toEqual(['f', 'm']);
  });

  it.each([
    ['1,f,x,a,1', 'age', 'a number', 'text of 1 character'],
    ['1,f,nan,a,1', 'age', 'a number', 'NaN'],
    ['1,f,1,a,', 'pay', 'a number', 'an empty cell'],
    ['1,other,1,a,1', 'sex', 'one of the 2 categories', 'text of 5 characters'],
    ['1,,1,a,1', 'sex', 'one of the 2 categories', 'an empty cell'],
  ])('refuses the row %j without repeating its cell', async (...given) => {
    const [row, column, expected, received] = given;
    await expect(read(`0,m,1,a,1\n${row}\n`)).rejects.toMatchObject({
      name: 'InvalidInputError',
      message: `${join(folder.path, 'table.csv')}, line 3, column "${column}": expected ${expected}, received ${received}`,
    });
  });
});
