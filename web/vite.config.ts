import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { viteSingleFile } from 'vite-plugin-singlefile';

/**
 * One HTML file, scripts, styles and shaders inside, that opens from disk: dist/explorer.html, part of the package. It has no decoder:
 * `byte-to-loss inspect` puts one in.
 */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  plugins: [viteSingleFile()],
  // The development server accepts only local connections.
  server: { host: '127.0.0.1' },
  preview: { host: '127.0.0.1' },
  build: {
    outDir: '../dist',
    emptyOutDir: false, // the compiled package is there
    rolldownOptions: { input: fileURLToPath(new URL('explorer.html', import.meta.url)) },
    target: 'es2023',
    reportCompressedSize: false,
  },
});
