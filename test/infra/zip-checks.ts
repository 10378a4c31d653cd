import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const MOST_BYTES = 6e6;
const ENTRY = 0x02014b50;

interface Entry {
  readonly name: string;
  /** Unzipped. */
  readonly bytes: number;
}

/** What the directory at the end of a zip file lists. */
function entriesOf(file: string): Entry[] {
  const zip = readFileSync(file);
  const end = zip.lastIndexOf(Buffer.from('PK\u0005\u0006', 'latin1'));
  const entries: Entry[] = [];
  let at = zip.readUInt32LE(end + 16);
  while (zip.readUInt32LE(at) === ENTRY) {
    const [name, extra, comment] = [28, 30, 32].map((place) => zip.readUInt16LE(at + place)) as [
      number,
      number,
      number,
    ];
    entries.push({ name: zip.toString('utf8', at + 46, at + 46 + name), bytes: zip.readUInt32LE(at + 24) });
    at += 46 + name + extra + comment;
  }
  return entries;
}

/** What is uploaded for each function. */
export function checkZips(folder: () => string): void {
  const zips = () =>
    readdirSync(path.join(folder(), '.serverless'))
      .filter((name) => name.endsWith('.zip'))
      .map((name) => [name, entriesOf(path.join(folder(), '.serverless', name))] as const);

  describe('zips', () => {
    it('hold one handler and what it loads from beside it, and are under 6 MB unzipped', () => {
      expect(zips()).toHaveLength(10);
      for (const [zip, entries] of zips()) {
        const name = zip.replace('.zip', '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
        const audits = name === 'create-audit' || name === 'on-schedule';
        const wasm = ['-simd', '-threaded-simd', ''].map((kind) => `tfjs-backend-wasm${kind}.wasm`);
        const expected = [`${name}.js`, 'package.json', ...(audits ? wasm : [])];
        const found = entries.map((entry) => entry.name.replace('dist/functions/', ''));
        expect(found.sort(), zip).toEqual(expected.sort());
        expect(
          entries.reduce((sum, { bytes }) => sum + bytes, 0),
          zip,
        ).toBeLessThan(MOST_BYTES);
      }
    });
  });
}
