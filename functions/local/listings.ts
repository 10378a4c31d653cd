import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { parse } from 'csv-parse/sync';
import { cleanText, parseNumber } from '../../core/data/cells.ts';
import { type DatedAudit, driftOf, SHOWN_POINTS } from '../../core/fairness/drift/drift.ts';
import type { Verdict } from '../../core/fairness/policy/gate.ts';
import { auditPrefix, folderOf, isId, isStarter, isTable, JOBS, UPLOADS } from '../../core/jobs/keys.ts';
import { listJobs } from '../../core/jobs/list-jobs.ts';
import type { JobRequest } from '../../core/jobs/schema.ts';
import { type ScheduledAudit, scheduledAuditSchema } from '../../core/jobs/settle-audit.ts';
import { readState } from '../../core/jobs/state.ts';
import { MODEL_JSON, modelEnding } from '../../core/model/model-file.ts';
import { renderAuditReport } from '../../core/report/audit-report.ts';
import { findingText } from '../../core/report/facts/finding-text.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import { type FolderTree, readTree } from './folder-tree.ts';

/** Of each kind; whoever has more writes a key into a request. */
const MOST_INPUTS = 500;
const MOST_AUDITS = 50;
const MOST_JOBS = 100;
/** That a header line may have to be shown. */
const MOST_HEADER_BYTES = 64 * 1024;
const MOST_COLUMNS = 200;

/** What a request may name, by key, and how many more there are of each. */
export interface Inputs {
  readonly models: readonly string[];
  readonly tables: readonly string[];
  readonly more: { readonly models: number; readonly tables: number };
}

/**
 * Lists the keys below `uploads/` of a root that can be tables, parts of models, configurations and requests, in order.
 * A folder that has not changed is not read again, so that a hundred thousand images cost one look.
 */
export function makeUploadKeys(root: string): () => Promise<string[]> {
  const folder = path.join(root, UPLOADS);
  let tree: FolderTree = new Map();
  return async () => {
    tree = await readTree(folder, { known: tree, isWanted: isStarter });
    const files = [...tree.values()].flatMap((entry) => entry.files);
    return files.map((file) => `${UPLOADS}${keyOf(folder, file)}`).sort();
  };
}

/**
 * Models and tables among the uploads of a root, the newest first: what came last is never cut off. A model is called
 * by its file, or by its folder where that is a model.json.
 *
 * @param keys  as `makeUploadKeys` lists them
 */
export async function listInputs(root: string, keys: readonly string[]): Promise<Inputs> {
  const [models, tables] = await Promise.all([
    newestFirst(root, keys.filter(isModel)),
    newestFirst(root, keys.filter(isTable)),
  ]);
  const more = (found: readonly unknown[]) => Math.max(0, found.length - MOST_INPUTS);
  return {
    models: models.slice(0, MOST_INPUTS).map(({ key }) => (isModelJson(key) ? folderOf(key) : key)),
    tables: tables.slice(0, MOST_INPUTS).map(({ key }) => key),
    more: { models: more(models), tables: more(tables) },
  };
}

/** Keys of the files below a prefix, in order. No file is opened, so that many cost little. */
export async function keysBelow(root: string, prefix: string): Promise<string[]> {
  const folder = path.join(root, prefix);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => `${prefix}${keyOf(folder, path.join(entry.parentPath, entry.name))}`)
    .sort();
}

function keyOf(folder: string, file: string): string {
  return path.relative(folder, file).split(path.sep).join('/');
}

export interface DatedKey {
  readonly key: string;
  readonly changedMs: number;
  readonly bytes: number;
}

/** Keys with when they changed, the newest first and else in their order; those that are gone are left out. */
export async function newestFirst(root: string, keys: readonly string[]): Promise<DatedKey[]> {
  const dated = await Promise.all(
    keys.map(async (key): Promise<DatedKey | null> => {
      const stats = await lstat(path.join(root, key)).catch(() => null);
      return stats && { key, changedMs: stats.mtimeMs, bytes: stats.size };
    }),
  );
  return dated.filter((entry) => entry !== null).sort((a, b) => b.changedMs - a.changedMs);
}

function isModel(key: string): boolean {
  return isModelJson(key) || ![null, '.json'].includes(modelEnding(key));
}

function isModelJson(key: string): boolean {
  return key.endsWith(`/${MODEL_JSON}`);
}

/** Ids of all jobs of a root, the eldest first, as their ids sort backwards in time. */
export async function listJobIds(root: string): Promise<string[]> {
  const names = await readdir(path.join(root, JOBS)).catch(() => []);
  return names.filter(isId).sort().reverse();
}

/** What a job was made of, in names that a person knows it by. */
export interface JobInputs {
  readonly table: string;
  readonly model?: string;
}

/** Names of what the newest jobs were made of, by id; as many as the page shows. */
export async function listJobInputs(store: ObjectStore): Promise<Record<string, JobInputs>> {
  const { jobs } = await listJobs({ store }, { limit: MOST_JOBS });
  return Object.fromEntries(jobs.map(({ jobId, request }) => [jobId, inputsOf(request)]));
}

/** The table's file name, and the last two parts of a model's place, since most are called `model`. */
export function inputsOf(request: JobRequest): JobInputs {
  const fileName = (key: string) => key.slice(folderOf(key).length);
  if (request.kind === 'audit') return { table: fileName(request.predictions) };
  const parts = request.model.replace(/\/$/, '').split('/').slice(1);
  const named = parts.filter((name) => !/^[0-9a-f]{32}$/.test(name));
  return { table: fileName(request.manifest), model: named.slice(-2).join('/') };
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
  const first = /\.jsonl$/i.test(key) ? firstKeys : firstRecord;
  const names = isWhole ? first(head).map(cleanText) : [];
  const isHeader = isText(head) && names.every((name) => name !== '' && parseNumber(name) === null);
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

/** Bytes of another kind of file, or of another encoding, have no names to show. The last character may be cut off. */
function isText(head: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    return !head.includes(0);
  } catch {
    return false;
  }
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

function firstKeys(head: Buffer): string[] {
  try {
    return Object.keys(JSON.parse(head.toString().split('\n', 1)[0]!));
  } catch {
    return [];
  }
}

/** A scheduled audit in a listing. */
export interface AuditSummary extends Pick<ScheduledAudit, 'definition' | 'time' | 'verdict' | 'mitigation'> {
  readonly findings: readonly { readonly verdict: Verdict; readonly text: string }[];
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
  const findings = audit.findings.map((finding) => ({
    verdict: finding.verdict,
    text: findingText(finding),
  }));
  const report = `/local/audits/${name.definition}/${name.time}`;
  return { definition, time, verdict, findings, report, ...(mitigation && { mitigation }) };
}

/** The report of one scheduled audit as a page; null when there is none. */
export async function auditPage(store: ObjectStore, name: AuditName): Promise<string | null> {
  const audit = await readAudit(store, name);
  if (audit === null) return null;
  const source = `definition ${audit.definition}, period from ${audit.time}`;
  const earlier = await auditsUpTo(store, name);
  const drift = earlier.length > 1 ? driftOf(earlier) : undefined;
  const { verdict, findings } = audit;
  const gate = verdict === null ? undefined : { policy: audit.definition, verdict, findings };
  return renderAuditReport(audit.report, { title: 'Scheduled fairness audit', source, gate, drift });
}

/** The audits of a definition that led to this one, the last of them; what cannot be read is passed over. */
async function auditsUpTo(store: ObjectStore, { definition, time }: AuditName): Promise<DatedAudit[]> {
  const times: string[] = [];
  for await (const key of store.listKeys(auditPrefix(definition))) {
    const found = path.posix.basename(key, '.json');
    if (found <= time) times.push(found);
  }
  const audits = await Promise.all(
    times.slice(-SHOWN_POINTS).map((each) => readAudit(store, { definition, time: each }).catch(() => null)),
  );
  return audits.flatMap((audit) =>
    audit === null ? [] : [{ time: new Date(audit.time), report: audit.report }],
  );
}

async function readAudit(
  store: ObjectStore,
  { definition, time }: AuditName,
): Promise<ScheduledAudit | null> {
  if (!isId(definition)) return null;
  const key = `${auditPrefix(definition)}${time}.json`;
  return (await readState(store, { key, schema: scheduledAuditSchema }))?.value ?? null;
}
