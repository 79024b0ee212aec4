export default { build: { outDir: 'slim', rollupOptions: { input: 'slim.html' } } };
