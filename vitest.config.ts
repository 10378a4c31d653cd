import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    pool: 'forks',
    // By default one core stays free, which on two of them doubles the time.
    maxWorkers: '100%',
    include: ['test/**/*.test.ts'],
    reporters: ['default', './test/helpers/closing-line-reporter.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    coverage: {
      provider: 'v8',
      include: ['core/**/*.ts', 'functions/**/*.ts', 'worker/**/*.ts'],
      exclude: ['worker/kernels/assembly/**', 'core/model/formats/onnx/file/onnx-pb.ts'],
      thresholds: {
        'core/**': { lines: 95, branches: 90 },
        'functions/**': { lines: 95, branches: 90 },
        'worker/**': { lines: 95, branches: 90 },
      },
    },
  },
});
