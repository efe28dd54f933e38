/** What can go wrong. Each error says what happened and what to do, and its name can be relied on. */
export class GuardError extends Error {
  constructor(readonly what: string, readonly where = "", readonly todo = "") {
    super([what, where && `(${where})`, todo].filter(Boolean).join(" "));
    this.name = new.target.name;
  }
}
export class PolicyError extends GuardError {
  constructor(what: string, where = "", todo = "", readonly kind = "policy") { super(what, where, todo); }
}
export class DetectorError extends GuardError {}
export class NoCamera extends GuardError {}
export class PermissionDenied extends GuardError {}
export class TrackEnded extends GuardError {}
export class ModelBlocked extends GuardError {}
export class TransformUnsupported extends GuardError {}
export class LogForked extends GuardError {}
/** A pack that is refused; its kinds say why. */
export class PackError extends GuardError {}
export class PackUnsigned extends PackError {}
export class PackChanged extends PackError {}
export class PackExpired extends PackError {}
export class PackRolledBack extends PackError {}
export class PackUnlogged extends PackError {}
export class LogDamaged extends PackError {}
export class ClockSkewed extends PackError {}
export class ConsentExceeded extends PackError {}

/** Why a protected frame is refused. */
export type Refusal = "header" | "replayed" | "changed" | "unknown key" | "too short" | "counter" | "codec";
export class FrameError extends GuardError {
  constructor(readonly kind: Refusal, what: string) { super(what, "SFrame"); }
}

/** Say in our words why the camera could not be opened. */
export function cameraError(error: unknown): GuardError {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError")
    return new PermissionDenied("The camera may not be used.", "", "Allow it in the address bar, then try again.");
  return new NoCamera("There is no camera that can be used.", "", "Connect one, or close the app that has it.");
}
