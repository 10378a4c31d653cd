import { Command } from 'commander';
import { auditPredictions } from '../../core/data/audit-predictions.ts';
import { startBackend } from '../../worker/backend.ts';

/* An audit of a table in a process of its own, so that its peak memory can be read. One JSON line on stdout. */

interface Flags {
  readonly table: string;
  readonly replicates: number;
}

const program = new Command('audit-process')
  .requiredOption('--table <file>')
  .option('--replicates <count>', '', Number, 2000);
program.parse();
const flags = program.opts<Flags>();

const start = performance.now();
const before = process.cpuUsage();
await startBackend('wasm', { threads: 1 });
const report = await auditPredictions({
  path: flags.table,
  columns: { label: 'label', score: 'score', sensitiveFeatures: ['race'] },
  threshold: 0.5,
  replicates: flags.replicates,
});
const result = {
  seconds: (performance.now() - start) / 1000,
  /** Of the processor: what the wait for other programs adds is not in it. */
  cpuSeconds: cpuSeconds(),
  /** With the start of Node and the loading of modules. */
  processSeconds: process.uptime(),
  peakBytes: process.resourceUsage().maxRSS * 1024,
  rows: report.overall.support,
  groups: report.features[0]!.groups.length,
  ranks: report.ranks,
};
process.stdout.write(`${JSON.stringify(result)}\n`);

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
