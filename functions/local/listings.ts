import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { parse } from 'csv-parse/sync';
import { cleanText, parseNumber } from '../../core/data/cells.ts';
import { auditPrefix, folderOf, isId, JOBS, UPLOADS } from '../../core/jobs/keys.ts';
import { type ScheduledAudit, scheduledAuditSchema } from '../../core/jobs/settle-audit.ts';
import { readState } from '../../core/jobs/state.ts';
import { renderAuditReport } from '../../core/report/audit-report.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';

const MODEL_FILE = 'model.json';
/** Of each kind; whoever has more writes a key into a request. */
const MOST_INPUTS = 500;
const MOST_AUDITS = 50;
/** That a header line may have to be shown. */
const MOST_HEADER_BYTES = 64 * 1024;
const MOST_COLUMNS = 200;

/** What a request may name, by key. */
export interface Inputs {
  readonly models: readonly string[];
  readonly tables: readonly string[];
}

/** Model folders and tables below `uploads/` of a root, the names in order. */
export async function listInputs(root: string): Promise<Inputs> {
  const keys = await keysBelow(root, UPLOADS);
  const models = keys.filter((key) => key.endsWith(`/${MODEL_FILE}`)).map(folderOf);
  const tables = keys.filter(isTable);
  return { models: models.slice(0, MOST_INPUTS), tables: tables.slice(0, MOST_INPUTS) };
}

/** Keys of the files below a prefix, in order. No file is opened, so that many cost little. */
async function keysBelow(root: string, prefix: string): Promise<string[]> {
  const folder = path.join(root, prefix);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .map((name) => `${prefix}${name.split(path.sep).join('/')}`)
    .sort();
}

function isTable(key: string): boolean {
  return key.toLowerCase().endsWith('.csv');
}

/** Ids of all jobs of a root, the eldest first, as their ids sort backwards in time. */
export async function listJobIds(root: string): Promise<string[]> {
  const names = await readdir(path.join(root, JOBS)).catch(() => []);
  return names.filter(isId).sort().reverse();
}

/**
 * Names of a table's columns, for who fills in a request; none where the first line may be a row of data: a number or
 * an empty cell is no name, and a name is there once.
 *
 * @throws InvalidInputError when `key` is no key
 */
export async function listColumns(store: ObjectStore, key: string): Promise<string[]> {
  if (!key.startsWith(UPLOADS) || !isTable(key)) return [];
  const body = await store.readStream(key);
  const head = body === null ? Buffer.alloc(0) : await headOf(body);
  const isWhole = head.length < MOST_HEADER_BYTES || /[\r\n]/.test(head.toString('latin1'));
  const names = isWhole ? firstRecord(head).map(cleanText) : [];
  const isHeader = names.every((name) => name !== '' && parseNumber(name) === null);
  return isHeader && new Set(names).size === names.length ? names.slice(0, MOST_COLUMNS) : [];
}

async function headOf(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= MOST_HEADER_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, MOST_HEADER_BYTES);
}

/** What is wrong with a table is for its audit to tell. */
function firstRecord(head: Buffer): string[] {
  try {
    const records: string[][] = parse(head, { bom: true, to: 1, relax_column_count: true });
    return records[0] ?? [];
  } catch {
    return [];
  }
}

/** A scheduled audit in a listing. */
export interface AuditSummary extends Pick<ScheduledAudit, 'definition' | 'time' | 'verdict' | 'mitigation'> {
  /** Where its report is shown. */
  readonly report: string;
}

interface AuditName {
  readonly definition: string;
  readonly time: string;
}

/** What the definitions of a root found last, the newest first. */
export async function listAudits(root: string, store: ObjectStore): Promise<AuditSummary[]> {
  const names = (await keysBelow(root, 'audits/')).flatMap((key): AuditName[] => {
    const [, definition, time] = /^audits\/([^/]+)\/(\d{8}T\d{6}Z)\.json$/.exec(key) ?? [];
    return definition === undefined || time === undefined ? [] : [{ definition, time }];
  });
  names.sort((a, b) => (a.time < b.time ? 1 : -1));
  const audits = await Promise.all(names.slice(0, MOST_AUDITS).map((name) => summaryOf(store, name)));
  return audits.filter((audit) => audit !== null);
}

/** One that cannot be read does not hide the others. */
async function summaryOf(store: ObjectStore, name: AuditName): Promise<AuditSummary | null> {
  const audit = await readAudit(store, name).catch(() => null);
  if (audit === null) return null;
  const { definition, time, verdict, mitigation } = audit;
  const report = `/local/audits/${name.definition}/${name.time}`;
  return { definition, time, verdict, report, ...(mitigation && { mitigation }) };
}

/** The report of one scheduled audit as a page; null when there is none. */
export async function auditPage(store: ObjectStore, name: AuditName): Promise<string | null> {
  const audit = await readAudit(store, name);
  if (audit === null) return null;
  const source = `definition ${audit.definition}, period from ${audit.time}`;
  return renderAuditReport(audit.report, { title: 'Scheduled fairness audit', source });
}

async function readAudit(
  store: ObjectStore,
  { definition, time }: AuditName,
): Promise<ScheduledAudit | null> {
  if (!isId(definition)) return null;
  const key = `${auditPrefix(definition)}${time}.json`;
  return (await readState(store, { key, schema: scheduledAuditSchema }))?.value ?? null;
}
