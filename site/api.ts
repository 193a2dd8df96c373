import { join } from 'node:path';
import { Application, JSX } from 'typedoc';
import { ROOT } from './pages.js';

/**
 * Write the API reference, with a way back to the lesson on every page.
 *
 * @param out the folder; what was in it is removed
 * @throws Error when a comment does not fit the code
 */
export async function buildApi(out: string): Promise<void> {
  const app = await Application.bootstrapWithPlugins({
    options: join(ROOT, 'typedoc.json'),
    readme: join(ROOT, 'site/api.md'),
    customCss: join(ROOT, 'site/api.css'),
    logLevel: 'Warn',
  });
  app.renderer.hooks.on('body.begin', (context) =>
    JSX.createElement(
      'p',
      { style: 'margin:0;padding:.5rem 1.5rem;font-size:.9rem' },
      JSX.createElement('a', { href: context.relativeURL('../index.html') }, 'Back to the lesson'),
    ),
  );
  const project = await app.convert();
  if (project === undefined) throw new Error('the API reference cannot be made: the code has errors, see above');
  await app.generateDocs(project, out);
  if (app.logger.hasErrors() || app.logger.hasWarnings()) throw new Error('the API reference has warnings, see above');
}
