import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseWith } from '../core/data/parse.ts';
import { readJson, systemCode } from '../core/data/read-json.ts';
import { StorageError } from '../core/errors.ts';
import type { DatedAudit } from '../core/fairness/drift/drift.ts';
import { stamp } from '../core/jobs/keys.ts';
import { storedAuditSchema } from '../core/jobs/stored-audit.ts';

/** `20260301T060000Z.json`; other files of the folder are no audits. */
const NAME = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z\.json$/;

/**
 * Audits of one subject that lie in a folder, one file each, named by their time in UTC.
 *
 * @returns in order of time; none where the folder is absent
 * @throws StorageError when the folder or a file cannot be read, InvalidInputError for a file that holds no audit
 */
export async function readHistory(folder: string): Promise<DatedAudit[]> {
  const names = await readdir(folder).catch((cause) => {
    if (systemCode(cause) === 'ENOENT') return [];
    throw new StorageError(
      `history "${folder}": cannot be read (${systemCode(cause)})`,
      { folder },
      { cause },
    );
  });
  const dated = names.flatMap((name) => {
    const time = timeOf(name);
    return time === null ? [] : [{ name, time }];
  });
  dated.sort((a, b) => a.time.getTime() - b.time.getTime());
  return Promise.all(
    dated.map(async ({ name, time }) => {
      const file = path.join(folder, name);
      return { time, report: parseWith(storedAuditSchema, await readJson(file), file) };
    }),
  );
}

function timeOf(name: string): Date | null {
  const match = NAME.exec(name);
  if (match === null) return null;
  const [, year, month, day, hour, minute, second] = match;
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time.getTime()) ? null : time;
}

/**
 * Adds an audit to a folder (made if absent) under its time; one of the same second is replaced. The file appears
 * when it is complete.
 *
 * @throws StorageError when it cannot be written
 */
export async function addToHistory(folder: string, { time, report }: DatedAudit): Promise<void> {
  const file = path.join(folder, `${stamp(time)}.json`);
  const partial = `${file}.partial-${randomUUID()}`;
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(partial, `${JSON.stringify(report)}\n`);
    await rename(partial, file);
  } catch (cause) {
    await rm(partial, { force: true }).catch(() => {}); // the first failure is the one to tell of
    throw new StorageError(
      `history "${folder}": cannot be written (${systemCode(cause)})`,
      { folder },
      { cause },
    );
  }
}
