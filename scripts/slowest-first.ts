import { BaseSequencer, type TestSequencerConstructor, type TestSpecification } from 'vitest/node';

/** Vitest's own order, but for the files whose paths end in one of `longest`: of their project they come first, in this order. */
export function slowestFirst(longest: readonly string[]): TestSequencerConstructor {
  const rankOf = ({ moduleId }: TestSpecification) => {
    const rank = longest.findIndex((end) => moduleId.endsWith(end));
    return rank === -1 ? longest.length : rank;
  };
  return class extends BaseSequencer {
    override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
      const sorted = await super.sort(files);
      const byProject = Map.groupBy(sorted, ({ project }) => project.name);
      return [...byProject.values()].flatMap((own) => own.toSorted((a, b) => rankOf(a) - rankOf(b)));
    }
  };
}
