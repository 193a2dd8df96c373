/**
 * Tests that need Dawn with a driver, Dawn's compiler, or the browser: all three come from packages that run on Linux x64
 * alone. Everywhere else `npm test` leaves these files out, says so, and runs the rest on the CPU device.
 */
export const LINUX_X64_ONLY = [
  'test/device/browser.test.ts',
  'test/device/sameAsDawn.test.ts',
  'test/experiment/page.test.ts',
  'test/package.test.ts',
  'test/shaders.test.ts',
  'test/site/site.test.ts',
  'test/web/explorer.test.ts',
  'test/web/writtenPages.test.ts',
  'test/wgsl/agreement.test.ts',
  'test/wgsl/programs.test.ts',
  'test/wgsl/uniformity.test.ts',
];

/** Whether a machine runs Dawn's bundled driver and the bundled browser. */
export function runsBundled(platform: string = process.platform, arch: string = process.arch): boolean {
  return platform === 'linux' && arch === 'x64';
}

/** The test files that a machine leaves out. `leftOut('linux', 'x64') // []` */
export function leftOut(platform: string = process.platform, arch: string = process.arch): string[] {
  return runsBundled(platform, arch) ? [] : LINUX_X64_ONLY;
}
