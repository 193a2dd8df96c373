/** Milliseconds after which a test, or a process or page that it waits for, counts as hanging: ten times what a slow machine needs. */
export const HANGING = 600_000;
