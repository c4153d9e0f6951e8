/** Prints `N passed, N failed` as the last line of a jest run, and fails a run that had no test at all. */
export default class CountReporter {
  onRunComplete(_contexts, results) {
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites, numPendingTests } = results;
    // A file that does not even load has no failed test, but it is a failure.
    this.failed = numFailedTests + numRuntimeErrorTestSuites;
    this.passed = numPassedTests;
    const skipped = numPendingTests > 0 ? `Skipped: ${numPendingTests}\n` : '';
    this.line = `${skipped}Tests: ${this.passed} passed, ${this.failed} failed`;
    // Jest writes its own summary to stderr after this; the last line is ours.
    process.once('exit', () => process.stdout.write(`\n${this.line}\n`));
  }

  getLastError() {
    return this.passed + this.failed === 0 ? new Error('no test was run') : undefined;
  }
}
