import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { SIZES } from '../../worker/commands/plan-costs.ts';
import { ROOT } from './packaging.ts';

const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');
const PAGE = read('docs/operations.md');

/** Text from a heading to the next one of its kind or a higher one. */
function section(heading: string): string {
  const level = heading.indexOf(' ');
  const [, rest = ''] = PAGE.split(`\n${heading}\n`);
  return rest.split(new RegExp(`\n#{1,${level}} `))[0]!;
}

/** Cells of the tables of a text, row by row, without their headings. */
function rowsOf(text: string): string[][] {
  const rows = [...text.matchAll(/^ *\| (.+) \|$/gm)].map(([, row]) =>
    row!.split(' | ').map((cell) => cell.trim()),
  );
  return rows.filter((_, index) => index > 0 && !rows[index]![0]!.startsWith('--'));
}

const codesIn = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);

/** Everything that the code of some folders gives as `code: '…'`. */
function givenCodes(...folders: string[]): string[] {
  const files = folders.flatMap((folder) =>
    readdirSync(path.join(ROOT, folder)).map((name) => path.join(folder, name)),
  );
  return files.flatMap((file) => [...read(file).matchAll(/code: '([A-Z_]+)'/g)].map(([, code]) => code!));
}

describe('the page for operators', () => {
  it('names every parameter of the deployment with its default', () => {
    const [, block] = /^params:\n {2}default:\n((?: {4}.*\n)+)/m.exec(read('serverless.yml'))!;
    const declared = [...block!.matchAll(/^ {4}(\w+): "?([^"\n]*)"?$/gm)].map(([, name, value]) => [
      name,
      value || 'empty',
    ]);
    const rows = rowsOf(section('### Parameters')).flatMap(([names, defaults]) => {
      const values = defaults!.split(',').map((value) => value.trim().replaceAll('`', ''));
      return codesIn(names!).map((name, index) => [name, values[index] ?? 'empty']);
    });
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(declared));
  });

  it('names the size of every function', () => {
    const rows = rowsOf(section('## Sizes')).flatMap(([names, memory, limit]) =>
      names!.split(', ').map((name) => [name, memory, limit]),
    );
    for (const { name, memoryMiB, timeoutSeconds } of SIZES.functions) {
      expect(rows).toContainEqual([name, `${memoryMiB} MB`, `${timeoutSeconds} s`]);
    }
  });

  it('names every prefix of the bucket', () => {
    const [, comment] = /\/\*\n([\s\S]+?)\*\//.exec(read('core/jobs/keys.ts'))!;
    const spelled = new Set([...comment!.matchAll(/^ \* {3}(\w+\/)/gm)].map(([, prefix]) => prefix!));
    const told = rowsOf(section('## Data').split('\n### ')[0]!).flatMap(([prefixes]) => codesIn(prefixes!));
    expect(told.sort()).toEqual([...spelled].sort());
  });

  it('says what to do about every code that a failed job can have', () => {
    const [, union] = /export type ErrorCode =\n([^;]+);/.exec(read('core/errors.ts'))!;
    const own = [...union!.matchAll(/'([A-Z_]+)'/g)].map(([, code]) => code!);
    const given = new Set([...own, ...givenCodes('core/jobs', 'worker/container')]);
    const told = rowsOf(section('### Failed jobs')).flatMap(([codes]) => codesIn(codes!));
    expect([...new Set(told)].sort()).toEqual([...given].sort());
    expect(told).toHaveLength(new Set(told).size);
  });

  it('names scripts that exist, and the version of the images', () => {
    const { scripts, version } = JSON.parse(read('package.json')) as {
      scripts: Record<string, string>;
      version: string;
    };
    const named = [...PAGE.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name!);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
    expect(PAGE).toContain(`VERSION=${version} `);
    expect(read('serverless.yml')).toContain(`imageVersion: ${version}\n`);
  });

  it('links to headings and pages that exist', () => {
    const headings = [...PAGE.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
      title!
        .toLowerCase()
        .replace(/[^\w\s-]/g, '')
        .trim()
        .replaceAll(' ', '-'),
    );
    const links = [...PAGE.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link!);
    const own = links.filter((link) => link.startsWith('#')).map((link) => link.slice(1));
    expect(own.filter((anchor) => !headings.includes(anchor))).toEqual([]);
    const pages = links.filter((link) => /^[\w-]+\.md/.test(link)).map((link) => link.split('#')[0]!);
    const existing = readdirSync(path.join(ROOT, 'docs'));
    expect(pages.filter((page) => !existing.includes(page))).toEqual([]);
  });
});
