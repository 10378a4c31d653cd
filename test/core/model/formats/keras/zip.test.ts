import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openZip } from '../../../../../core/model/formats/keras/zip.ts';
import type { ZipPart } from '../../../../helpers/keras.ts';
import { FIXTURES, makeZip } from '../../../../helpers/keras.ts';

const text = (value: string) => Buffer.from(value);
const PARTS: readonly ZipPart[] = [
  { name: 'config.json', content: text('{"a": 1}'), isPacked: true },
  { name: 'model.weights.h5', content: text('weights') },
  { name: 'assets/words.txt', content: text('x'.repeat(1000)), isPacked: true },
];
const open = (parts: readonly ZipPart[]) => openZip(makeZip(parts), 'file');

describe('openZip', () => {
  it('reads stored and packed entries, past a comment', () => {
    const zip = openZip(makeZip(PARTS, 'PK\x05\x06 is no end'), 'file');
    expect(zip.names).toEqual(PARTS.map(({ name }) => name));
    for (const { name, content } of PARTS) expect(zip.read(name)).toEqual(content);
  });

  it('reads what Python writes', () => {
    const zip = openZip(readFileSync(path.join(FIXTURES, 'nested.keras')), 'file');
    expect(zip.names).toEqual(['metadata.json', 'config.json', 'model.weights.h5']);
    expect(JSON.parse(zip.read('config.json').toString()).class_name).toBe('Functional');
  });

  it.each(PARTS)('replaces $name and leaves every other entry as it is', ({ name }) => {
    const bytes = makeZip(PARTS, 'comment');
    const content = text('longer than what was there before');
    const replaced = openZip(openZip(bytes, 'file').replace(name, content), 'file');
    expect(replaced.names).toEqual(PARTS.map((part) => part.name));
    for (const part of PARTS) {
      expect(replaced.read(part.name)).toEqual(part.name === name ? content : part.content);
    }
    expect(replaced.replace(name, openZip(bytes, 'file').read(name))).toEqual(bytes);
  });

  it('writes sizes before the data where they stood behind them', () => {
    const bytes = makeZip([{ ...PARTS[1]!, declared: { flags: 8 } }, PARTS[0]!]);
    const replaced = openZip(bytes, 'file').replace('model.weights.h5', text('other'));
    expect(replaced.readUInt16LE(6)).toBe(0);
    expect(openZip(replaced, 'file').read('config.json')).toEqual(PARTS[0]!.content);
  });

  it.each<[string, Partial<ZipPart>, string]>([
    ['lies above it', { name: '../config.json' }, 'whose entry "../config.json" lies outside of it'],
    ['lies at the root', { name: '/etc/passwd' }, 'whose entry "/etc/passwd" lies outside of it'],
    ['lies on another drive', { name: 'c:\\a' }, 'whose entry "c:\\a" lies outside of it'],
    ['has no name', { name: '' }, 'whose entry "" lies outside of it'],
    ['is encrypted', { declared: { flags: 1 } }, 'whose entry "part" is encrypted'],
    ['is packed otherwise', { declared: { method: 12 } }, 'whose entry "part" is packed by method 12'],
    ['is of 4 GiB', { declared: { bytes: 0xffffffff } }, 'of more than 4 GiB'],
    [
      'unpacks to too much',
      { isPacked: true, declared: { bytes: 2 ** 27 } },
      'that unpacks from 6 to 134217728 bytes',
    ],
  ])('refuses an entry that %s', (_, part, problem) => {
    expect(() => open([{ name: 'part', content: text('data'), ...part }])).toThrow(
      `file: expected a zip archive, received one ${problem}`,
    );
  });

  it.each<[string, Partial<ZipPart>]>([
    ['has another check sum', { declared: { checksum: 1 } }],
    ['unpacks to more than it says', { isPacked: true, declared: { bytes: 3 } }],
    ['unpacks to less than it says', { isPacked: true, declared: { bytes: 5 } }],
    ['is no packed data', { declared: { method: 8 } }],
  ])('refuses to read an entry that %s', (_, part) => {
    const zip = open([{ name: 'part', content: text('data'), ...part }]);
    expect(() => zip.read('part')).toThrow(
      'file: expected a zip archive, received one whose entry "part" is damaged',
    );
  });

  it('refuses two entries of one name, and to read one that is not there', () => {
    expect(() => open([PARTS[1]!, PARTS[1]!])).toThrow('received one with two entries "model.weights.h5"');
    expect(() => open(PARTS).read('metadata.json')).toThrow('received one without "metadata.json"');
  });

  it('refuses every truncation', () => {
    const bytes = makeZip(PARTS);
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => openZip(bytes.subarray(0, length), 'file')).toThrow(/^file: expected a zip archive/);
    }
  });

  it('reads nothing else from an archive with a flipped bit', () => {
    const bytes = makeZip(PARTS);
    for (let bit = 0; bit < bytes.length * 8; bit += 3) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      try {
        const zip = openZip(flipped, 'file');
        for (const { name, content } of PARTS) expect(zip.read(name)).toEqual(content);
      } catch (error) {
        expect(error).toMatchObject({ code: 'INVALID_INPUT' });
      }
    }
  });
});
