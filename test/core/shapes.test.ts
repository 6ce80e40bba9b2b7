import { describe, expect, test } from 'bun:test';
import { shapeNames, type ShapeName } from '../../src/core/model.ts';
import { chooseShape, shapes } from '../../src/core/shapes.ts';

describe('which form an answer takes', () => {
  const none = { client: null, path: undefined, home: false, tenant: 'avnology', layout: 'kotauth' } as const;
  const rows: readonly (readonly [name: string, choice: Parameters<typeof chooseShape>[0], shape: ShapeName])[] = [
    ['the client\'s own goes before all', { ...none, client: 'standard', path: 'workos', home: true }, 'standard'],
    ['INT-108 the URL that has a form of its own', { ...none, path: 'workos', home: true }, 'workos'],
    ['INT-111 on the tenant\'s home layout, the tenant\'s', { ...none, home: true }, 'avnology'],
    ['INT-36 elsewhere the layout\'s', none, 'kotauth'],
  ];
  test.each(rows)('%s', (_name, choice, shape) => {
    expect(chooseShape(choice)).toBe(shape);
  });

  test('REV-01 the body of a successful revocation', () => {
    expect(shapeNames.map((name) => [name, shapes[name].revokeBody])).toEqual([['standard', '{}'], ['avnology', ''], ['kotauth', ''], ['workos', '{}']]);
  });
});
