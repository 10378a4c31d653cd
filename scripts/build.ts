import { chmod, rm } from 'node:fs/promises';
import { build } from 'esbuild';

/** Bundles the command line into one file; packages stay outside, where npm put them. */
await rm('dist', { recursive: true, force: true });
await build({
  entryPoints: { counterweight: 'worker/counterweight.ts' },
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  packages: 'external',
});
await chmod('dist/counterweight.js', 0o755);
