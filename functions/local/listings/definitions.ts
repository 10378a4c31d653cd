import { z } from 'zod';
import {
  type Definition,
  type Every,
  loadDefinitions,
  type NamedDefinition,
} from '../../../core/jobs/definitions.ts';
import { inputVersions } from '../../../core/jobs/inputs.ts';
import { auditKey, DEFINITIONS, definitionLockKey, definitionName } from '../../../core/jobs/keys.ts';
import { isFinal } from '../../../core/jobs/record.ts';
import { readRecord } from '../../../core/jobs/records.ts';
import { hashOf } from '../../../core/jobs/request-hash.ts';
import { readState } from '../../../core/jobs/state.ts';
import type { AuditDeps } from '../../lib/audit-deps.ts';
import { jobSummary } from '../../lib/job-view.ts';
import { problemOf } from '../../lib/problem.ts';
import { inputsOf, type JobInputs, keysBelow } from '../listings.ts';
import { remember } from './remember.ts';

const MOST_DEFINITIONS = 200;
/** A reason is found by another audit of the table, which is not made at every look. */
const REASON_MS = 60_000;

/** How a definition does: `refused` says that its file is wrong, `failed` that its last audit was. */
interface Condition {
  readonly state: 'refused' | 'failed' | 'running' | 'done' | 'due';
  /** Why it was refused or failed; absent where nothing is wrong any more. */
  readonly error?: string;
  /** When it was last tried. */
  readonly at?: string;
  readonly jobId?: string;
}

/** A definition in a listing, by its name or by that of a file which cannot be one. */
export interface DefinitionSummary extends Condition, Partial<JobInputs> {
  readonly name: string;
  readonly every?: Every;
}

/** What is read here of a schedule's lock; the rest is for the scheduler alone. */
const runSchema = z.looseObject({
  slot: z.iso.datetime(),
  status: z.enum(['running', 'waiting', 'done', 'failed']),
  heldSince: z.iso.datetime(),
  jobId: z.string().optional(),
});
type Run = z.output<typeof runSchema>;

type Deps = Pick<AuditDeps, 'store' | 'auditTable' | 'now'>;

/** Every file below `definitions/` of a root, with what is wrong with it; first those with something wrong. */
export function makeListDefinitions(deps: Deps, root: string): () => Promise<DefinitionSummary[]> {
  const reasons = remember<string | undefined>(deps.now, REASON_MS);
  const summary = async (named: NamedDefinition): Promise<DefinitionSummary> => {
    const { name } = named;
    if ('error' in named) return { name, state: 'refused', error: named.error.message };
    const { request, every } = named.definition;
    const run = await readRun(deps, name);
    const known = [name, hashOf(named.definition), run?.heldSince].join(' ');
    const reason = () => reasons(known, () => reasonOf(deps, request));
    return { name, every, ...inputsOf(request), ...(await conditionOf(deps, { name, run, reason })) };
  };
  return async () => {
    const named = (await loadDefinitions(deps.store)).slice(0, MOST_DEFINITIONS);
    const all = [...(await misplaced(root)), ...(await Promise.all(named.map(summary)))];
    const isWrong = ({ state }: DefinitionSummary) => state === 'refused' || state === 'failed';
    return [...all.filter(isWrong), ...all.filter((definition) => !isWrong(definition))];
  };
}

/** Files that no scheduler looks at, which whoever put them there should know. */
async function misplaced(root: string): Promise<DefinitionSummary[]> {
  const keys = await keysBelow(root, DEFINITIONS);
  const wrong = keys.filter((key) => definitionName(key) === null && !/(?:^|\/)\./.test(key));
  const error = 'its name: expected one that ends with .json, in the folder definitions/ itself';
  return wrong.slice(0, MOST_DEFINITIONS).map((key) => {
    return { name: key.slice(DEFINITIONS.length), state: 'refused', error };
  });
}

/** null before its first audit, and where the lock cannot be read: the scheduler then says so. */
async function readRun({ store }: Deps, name: string): Promise<Run | null> {
  const state = await readState(store, { key: definitionLockKey(name), schema: runSchema }).catch(() => null);
  return state?.value ?? null;
}

interface Looked {
  readonly name: string;
  readonly run: Run | null;
  readonly reason: () => Promise<string | undefined>;
}

async function conditionOf(deps: Deps, { name, run, reason }: Looked): Promise<Condition> {
  if (run === null) return { state: 'due' };
  const { status, heldSince: at, slot, jobId } = run;
  if (status === 'failed') {
    const error = await reason();
    return { state: 'failed', at, ...(error !== undefined && { error }) };
  }
  if (jobId === undefined) return { state: status === 'done' ? 'done' : 'running', at };
  if (status !== 'done') return { state: 'running', at, jobId };
  const hasAudit = (await deps.store.info(auditKey(name, new Date(slot)))) !== null;
  return hasAudit
    ? { state: 'done', at }
    : { state: 'failed', at, jobId, error: await jobError(deps, jobId) };
}

async function jobError(deps: Deps, jobId: string): Promise<string> {
  const record = await readRecord(deps, jobId).catch(() => null);
  if (record === null) return 'its job is gone';
  const { error, status } = jobSummary(record);
  if (error !== undefined) return error.message;
  return isFinal(status) ? `its job is ${status} and left no audit` : 'its job has not ended';
}

/** The scheduler keeps no reason, so that the same is tried once more, without writing anything. */
async function reasonOf(deps: Deps, request: Definition['request']): Promise<string | undefined> {
  try {
    const report = request.kind === 'audit' ? await deps.auditTable(request) : null;
    if (report === null) await inputVersions(deps.store, request);
    return undefined;
  } catch (error) {
    return problemOf(error).message;
  }
}
