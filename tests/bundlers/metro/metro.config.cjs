// As React Native sets it, with exports as the environment says.
module.exports = {
  resolver: {
    resolverMainFields: ['react-native', 'browser', 'main'],
    unstable_conditionNames: ['react-native'],
    unstable_enablePackageExports: process.env.PACKAGE_EXPORTS === 'on',
  },
};
