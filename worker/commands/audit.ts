import path from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { Columns } from '../../core/data/columns.ts';
import { InvalidInputError } from '../../core/errors.ts';
import type { LibraryName, LibraryReport } from '../../core/fairness/libraries/index.ts';
import type { AuditReport } from '../../core/fairness/types.ts';
import type { ExportName } from '../../core/report/exports/formats.ts';
import type { LanguageCode } from '../../core/report/language/language.ts';
import type { FileAudit } from '../audit-files.ts';
import type { AuditOutcome } from '../audit-outcome.ts';
import { startBackend } from '../backend.ts';
import { assertAbsent } from '../run-folder.ts';
import {
  type AuditOptionFlags,
  addGroupOptions,
  addTableOptions,
  auditOptions,
  columnChoices,
  joinRequest,
  tableFlags,
} from './audit-options.ts';
import type { Console } from './console.ts';
import type { DataFlags } from './data-options.ts';
import {
  addDataOptions,
  addModelOptions,
  readDataConfig,
  readDataSource,
  setFlags,
  sourceFlags,
} from './data-options.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { auditTable, gateTable, libraryTable } from './tables.ts';

/** As core/fairness/libraries has them, which is loaded when one is asked for. */
const LIBRARY_CHOICES = [
  'fairlearn',
  'aif360',
  'clarify',
  'aequitas',
  'oxonfair',
  'holisticai',
  'bmft',
  'medfair',
] as const satisfies readonly LibraryName[];

/** As core/report/exports has them. */
const EXPORT_CHOICES = [
  'model-card',
  'chai',
  'nyc-ll144',
  'nyc-ll144-csv',
  'tripod-ai',
  'eu-ai-act',
] as const satisfies readonly ExportName[];

interface AuditFlags extends DataFlags, AuditOptionFlags {
  readonly model?: string;
  readonly predictions?: string;
  readonly clarifyConfig?: string;
  readonly only?: string;
  readonly policy?: string;
  readonly baseline?: string;
  readonly history?: string;
  readonly as?: (typeof LIBRARY_CHOICES)[number];
  readonly out?: string;
  readonly lang: LanguageCode;
  readonly export?: ExportName[];
  readonly modelName?: string;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  A table of predictions, as any tool can write it (CSV, JSONL, Parquet):
    counterweight audit --predictions scores.csv --label y --score p --sensitive sex race
  A model and its images, test split only:
    counterweight audit --model model/ --manifest labels.csv --image file --label melanoma \\
      --sensitive sex --split-column split --only test --out audit/
  A release gate, with age in bands, both features combined, and earlier audits kept:
    counterweight audit --predictions scores.parquet --label y --score p --sensitive sex age \\
      --bins age:18,40,65 --intersections 2 --policy policy.json --history audits/
  The numbers of another tool beside ours:
    counterweight audit --predictions data.csv --clarify-config analysis_config.json --as clarify

Exit codes: 0 done, 11 policy failed, 12 policy inconclusive, 64 wrong input, 65 data or model unfit, 70 failed,
75 try again, 130 stopped.`;

export function addAuditCommand(program: Command, console: Console): void {
  const command = program
    .command('audit')
    .summary('measure rates and disparities by group')
    .description(
      'Measures rates, AUC, calibration and disparities of each group with their uncertainty, for a model on its data or for a table of predictions. Groups without support are named, never counted as equal.',
    );
  command
    .option('--model <path>', 'model file (.onnx, .keras, .h5) or folder with a model.json (tfjs)')
    .option(
      '--predictions <table>',
      'table of predictions instead of a model: .csv, .jsonl (or .gz), .parquet',
    );
  addTableOptions(
    addDataOptions(command)
      .option('--score <column>', 'column with scores in [0, 1] (with --predictions)')
      .option('--prediction <column>', 'column with predicted labels (with --predictions)')
      .option('--only <split>', 'audit the rows of this split only')
      .option('--clarify-config <json>', 'columns and metrics of a SageMaker Clarify analysis_config.json'),
  );
  addGroupOptions(command);
  addModelOptions(command);
  command
    .optionsGroup('Verdict:')
    .option('--policy <file|name>', 'what the audit must show: a policy.json or a preset (docs/policy.md)')
    .option(
      '--baseline <audit.json>',
      'earlier audit, for rules about worsening (default: last of --history)',
    )
    .option('--history <folder>', 'earlier audits of the same subject; this one is added')
    .optionsGroup('Output:')
    .addOption(
      new Option('--as <library>', 'print each number under the name of a library, ours beside it').choices(
        LIBRARY_CHOICES,
      ),
    )
    .option('--out <folder>', 'write audit.json and report.html into a new folder')
    .addOption(
      new Option('--export <form...>', 'write forms that others ask for as well (with --out)').choices(
        EXPORT_CHOICES,
      ),
    )
    .option('--model-name <text>', 'what forms call the model (default: name of its file or of the table)')
    .addOption(new Option('--lang <code>', 'language of the report').choices(['en', 'ja']).default('en'))
    .option('--json', 'print the audit as JSON')
    .addHelpText('after', EXAMPLES)
    .action((flags: AuditFlags) => runAudit(flags, console));
}

async function runAudit(flags: AuditFlags, console: Console): Promise<void> {
  const { out, json } = flags;
  if (out !== undefined) await assertAbsent(out);
  else if (flags.export !== undefined) {
    throw new InvalidInputError('--export: expected --out as well, received none', { flag: '--out' });
  }
  const options = await judgeOptions(flags);
  const { request, clarify } = await readRequest(flags, console);
  await startBackend(flags.backend, { threads: flags.threads });
  const { auditFiles, writeAudit } = await import('../audit-files.ts');
  const report = await auditFiles(request, console);
  const { judgeAudit } = await import('../audit-outcome.ts');
  const outcome = await judgeAudit(report, { ...options, now: new Date() });
  const library = await libraryReport(report, flags, clarify);
  if (out !== undefined) {
    const source = path.basename('source' in request ? request.source.model : request.predictions);
    const { lang, export: exports = [], modelName } = flags;
    await writeAudit(out, outcome, { source, lang, exports, model: modelName });
    console.note(`report: ${path.join(out, 'report.html')}`);
  }
  // last, so that what is printed is one result or one error
  console.print(json ? jsonOf(outcome, library) : textOf(outcome, library));
  const verdict = outcome.report.gate?.verdict;
  if (verdict === 'fail') console.exitCode = EXIT_CODES.POLICY_FAILED;
  if (verdict === 'inconclusive') console.exitCode = EXIT_CODES.POLICY_INCONCLUSIVE;
}

/** Policy and baseline are read first: a mistake in them should not cost an audit. */
async function judgeOptions({ policy, baseline, history }: AuditFlags) {
  if (baseline !== undefined && policy === undefined) {
    throw new InvalidInputError('--baseline: expected --policy as well, received none', { flag: '--policy' });
  }
  const { readPolicy, readBaseline } = await import('../audit-gate.ts');
  return {
    policy: policy === undefined ? undefined : await readPolicy(policy),
    baseline: baseline === undefined ? undefined : await readBaseline(baseline),
    history,
  };
}

type Clarify = Awaited<ReturnType<typeof readClarify>>;

interface Request {
  readonly request: FileAudit;
  readonly clarify: Clarify | null;
}

async function readRequest(flags: AuditFlags, console: Console): Promise<Request> {
  const { model, predictions, only, intersections, clarifyConfig } = flags;
  if ((model === undefined) === (predictions === undefined)) {
    throw new InvalidInputError(
      `audit: expected either --model or --predictions, received ${model === undefined ? 'neither' : 'both'}`,
    );
  }
  const choices = { only, intersections, ...auditOptions(flags) };
  refuseForeign(flags);
  if (predictions === undefined) {
    const source = await readDataSource(model!, flags);
    return { request: { ...choices, threshold: flags.threshold, source }, clarify: null };
  }
  const clarify = clarifyConfig === undefined ? null : await readClarify(clarifyConfig, predictions);
  for (const note of clarify?.notes ?? []) console.note(note);
  const columns = await tableColumnsOf(flags, clarify);
  const threshold = clarify?.threshold ?? flags.threshold;
  const join = joinRequest(flags);
  return { request: { ...choices, threshold, predictions, columns, join }, clarify };
}

/** A flag that would have no effect is a mistake: of a model where there is a table, or the other way round. */
function refuseForeign(flags: AuditFlags): void {
  const { score, prediction, clarifyConfig: clarify } = flags;
  const [flag] =
    flags.predictions === undefined
      ? [...tableFlags(flags), ...setFlags({ score, prediction, 'clarify-config': clarify })]
      : sourceFlags(flags);
  if (flag === undefined) return;
  const [missing, given] =
    flags.predictions === undefined ? ['--predictions', '--model'] : ['--model', '--predictions'];
  throw new InvalidInputError(`${flag}: expected ${missing} as well, received ${given}`, { flag });
}

async function readClarify(file: string, predictions: string) {
  const [{ parseClarifyConfig }, { readJson }, { tableColumns }] = await Promise.all([
    import('../../core/fairness/libraries/clarify-config.ts'),
    import('../../core/data/read-json.ts'),
    import('../../core/data/table.ts'),
  ]);
  return parseClarifyConfig(await readJson(file), file, await tableColumns(predictions));
}

/** Columns of the flags over those of a Clarify analysis; a score that the flags name replaces its prediction. */
async function tableColumnsOf(flags: AuditFlags, clarify: Clarify | null): Promise<Columns> {
  if (clarify === null) return (await readDataConfig(flags, columnChoices(flags))).columns;
  const { prediction, sensitiveFeatures, ...columns } = clarify.columns;
  const answer = flags.score === undefined && flags.prediction === undefined ? { prediction } : {};
  const given = { ...columns, ...answer };
  const more = Object.fromEntries(
    Object.entries(columnChoices(flags)).filter(([, value]) => value !== undefined),
  );
  const label = flags.label ?? columns.label!;
  const sensitive = flags.sensitive ?? sensitiveFeatures!;
  return (await readDataConfig({ ...flags, label, sensitive: [...sensitive] }, { ...given, label, ...more }))
    .columns;
}

async function libraryReport(
  report: AuditReport,
  { as }: AuditFlags,
  clarify: Clarify | null,
): Promise<LibraryReport | null> {
  const library = as ?? (clarify === null ? undefined : 'clarify');
  if (library === undefined) return null;
  const { numbersAs } = await import('../../core/fairness/libraries/index.ts');
  if (library !== 'clarify' || clarify === null) return numbersAs(library, report);
  const { clarifyAnalysisNumbers } = await import('../../core/fairness/libraries/clarify-config.ts');
  return numbersAs(library, report, (feature) => clarifyAnalysisNumbers(clarify, feature));
}

function jsonOf({ report, drift }: AuditOutcome, library: LibraryReport | null): string {
  return JSON.stringify({ ...report, ...(drift && { drift }), ...(library && { library }) }, null, 2);
}

function textOf({ report }: AuditOutcome, library: LibraryReport | null): string {
  const parts = [library === null ? auditTable(report) : libraryTable(library)];
  if (report.gate !== undefined) parts.push(gateTable(report.gate));
  return parts.join('\n\n');
}
