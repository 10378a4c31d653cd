import { cp } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkAlarms } from './alarm-checks.ts';
import { checkBatch } from './batch-checks.ts';
import { checkFunctions } from './function-checks.ts';
import type { Packaged } from './packaging.ts';
import { buildInto, cfnLint, lint, makeFolder, packageIn, removeFolder, serverless } from './packaging.ts';
import { checkPermissions } from './permission-checks.ts';
import { checkPlan } from './plan-checks.ts';
import { checkRoles } from './role-checks.ts';
import { checkStorage } from './storage-checks.ts';
import { ofType } from './template.ts';
import { checkZips } from './zip-checks.ts';

const MINUTES = 60_000;

describe.skipIf(serverless.isMissing)(
  `the CloudFormation template, packaged offline and without credentials${serverless.note}`,
  () => {
    let folder = '';
    let packaged: Packaged;

    beforeAll(async () => {
      folder = await makeFolder();
      await buildInto(folder);
      packaged = await packageIn(folder);
    }, 5 * MINUTES);
    afterAll(() => removeFolder(folder));

    const template = () => packaged.template;
    checkFunctions(template);
    checkRoles(template);
    checkPermissions(template);
    checkStorage(template);
    checkBatch(template);
    checkAlarms(template, () => packaged.provider.stackTags);
    checkPlan(template);
    checkZips(() => folder);

    it(
      'asks for tokens of an issuer when that is wanted',
      async () => {
        const other = await makeFolder();
        try {
          await cp(path.join(folder, 'dist'), path.join(other, 'dist'), { recursive: true });
          const { template: jwt, templateFile } = await packageIn(other, {
            auth: 'jwt',
            jwtIssuer: 'https://issuer.example',
            jwtAudience: 'counterweight',
          });
          const routes = ofType(jwt, 'AWS::ApiGatewayV2::Route');
          expect(routes.map(([, { Properties }]) => Properties.AuthorizationType)).toEqual(
            routes.map(() => 'JWT'),
          );
          const authorizers = ofType(jwt, 'AWS::ApiGatewayV2::Authorizer');
          expect(authorizers.map(([, { Properties }]) => Properties.JwtConfiguration)).toEqual([
            { Audience: ['counterweight'], Issuer: 'https://issuer.example' },
          ]);
          if (!cfnLint.isMissing) expect(await lint(templateFile)).toBe('');
        } finally {
          await removeFolder(other);
        }
      },
      5 * MINUTES,
    );

    it.skipIf(cfnLint.isMissing)(
      `has nothing that cfn-lint finds fault with${cfnLint.note}`,
      async () => {
        expect(await lint(packaged.templateFile)).toBe('');
      },
      5 * MINUTES,
    );
  },
);
