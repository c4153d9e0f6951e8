import { describe } from '@jest/globals';
import { documentCases } from './documents.ts';
import { epochCases, fenceCases, lifecycleCases } from './lifecycle.ts';
import { logCases } from './log.ts';
import { outcomeCases } from './outcomes.ts';
import { type StoreBed, useBed } from './store-rig.ts';
import { tideCases } from './tides.ts';
import { transactionCases } from './transactions.ts';
import { trimCases } from './trim.ts';
import { valueCases } from './values.ts';

export type { OpenOptions, StoreBed } from './store-rig.ts';

/** What every Store must do. `create` makes an empty bed for one test. */
export function describeStore(name: string, create: () => Promise<StoreBed>): void {
  describe(`Store: ${name}`, () => {
    const context = useBed(create);
    describe('transactions', () => transactionCases(context));
    describe('outcomes', () => outcomeCases(context));
    describe('values', () => valueCases(context));
    describe('documents', () => documentCases(context));
    describe('log', () => logCases(context));
    describe('trimming', () => trimCases(context));
    describe('tides', () => tideCases(context));
    describe('fences', () => fenceCases(context));
    describe('epochs', () => epochCases(context));
    describe('life-cycle', () => lifecycleCases(context));
  });
}
