// Without a profile, for the Hermes that React Native brings.
const { TRANSFORM_PROFILE } = process.env;
const options = TRANSFORM_PROFILE && { unstable_transformProfile: TRANSFORM_PROFILE };

module.exports = { presets: [['module:@react-native/babel-preset', options ?? {}]] };
