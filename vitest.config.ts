import { defineConfig } from 'vitest/config';

/**
 * Tests that get a process of their own: they look at what a process has one of, such as the memory it takes or what
 * is registered in it. And those that take longest, since these files start first.
 */
const ALONE = [
  'test/acceptance/**/*.test.ts',
  'test/core/model/formats/keras/damaged.test.ts',
  'test/core/model/formats/onnx-corrupted.test.ts',
  'test/infra/**/*.test.ts',
  'test/functions/local/arrival.test.ts',
  'test/worker/backend.test.ts',
  'test/worker/kernels/register.test.ts',
  'test/worker/main.test.ts',
  'test/**/*.browser.test.ts',
];
/**
 * Their backend has no threads, and a process has one backend; and a process that holds little starts others fast, as
 * many of these do.
 */
const SERVICE = ['test/core/{jobs,queue,storage}/**/*.test.ts', 'test/functions/**/*.test.ts'];

export default defineConfig({
  test: {
    pool: 'forks',
    // By default one core stays free, which on two of them doubles the time.
    maxWorkers: '100%',
    reporters: ['default', './test/helpers/closing-line-reporter.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A process runs many files, so that most find the packages loaded and compiled. Projects run in order of name.
    projects: [
      { extends: true, test: { name: 'alone', include: ALONE } },
      { extends: true, test: { name: 'service', include: SERVICE, exclude: ALONE, isolate: false } },
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: [...ALONE, ...SERVICE],
          isolate: false,
        },
      },
    ],
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
