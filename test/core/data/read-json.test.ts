import { describe, expect, it } from 'vitest';
import { readJson, systemCode } from '../../../core/data/read-json.ts';
import { useTempFolder } from '../../helpers/files.ts';

describe('readJson', () => {
  const folder = useTempFolder();

  it('reads JSON with a byte order mark', async () => {
    await expect(readJson(await folder.write('bom.json', '\uFEFF{"a": 1}'))).resolves.toEqual({ a: 1 });
  });

  it('names a file that is absent', async () => {
    const path = folder.at('absent.json');
    await expect(readJson(path)).rejects.toMatchObject({
      name: 'StorageError',
      message: `${path}: cannot be read (ENOENT)`,
    });
  });

  it('does not repeat the text of a file that is no JSON', async () => {
    const path = await folder.write('table.json', 'patient,Jane Doe\n');
    const error: Error = await readJson(path).then(
      () => expect.unreachable(),
      (reason) => reason,
    );
    expect(error).toMatchObject({
      name: 'InvalidInputError',
      message: `${path}: expected JSON, received text that is no JSON`,
    });
    expect(error.cause).toBeUndefined();
  });
});

describe('systemCode', () => {
  it('has a word for errors without a code', () => {
    expect(systemCode(new Error('x'))).toBe('unknown reason');
  });
});
