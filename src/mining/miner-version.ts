/**
 * Versions of all that a mined file depends on beside its input. A text of its own, so that a command which asks for it need not load the
 * extractors and their parsers (120 ms of its start); miner-version.unit.spec.ts compares it with them and says what it has to be.
 */
export const minerVersion = "core@1;code@1;dataset@2;dbt@1;markdown@1;package-manifest@1;sql@1";
