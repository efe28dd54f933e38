// The demonstration call. A room is a WebSocket; the pictures go from browser to browser, encrypted frame by frame.
import { Guard, cameraError, missing, preferVp8 } from "/guard.js";

const by = (id) => document.getElementById(id);
const say = (words) => { by("state").textContent = words; };
const note = (words) => { const item = document.createElement("li"); item.textContent = words; by("notes").append(item); };
const show = (state) => by("badge").setAttribute("state", state);
const base64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));
const unbase64 = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer()));
const call = (window.call = { events: [], dropped: 0 }); // for tests, and for the curious

const { policy, help } = await (await fetch("/policy.json")).json();
for (const line of help) { const item = document.createElement("li"); item.textContent = line; by("help-lines").append(item); }
for (const lack of missing()) note(`This browser: ${lack}.`);

function told(event) {
  call.events.push({ ...event, seen: Date.now() });
  if (event.kind === "decision") {
    const covered = event.rung === "blur" || event.rung === "pause" || event.rung === "end";
    show(event.rung === "end" ? "ended" : covered ? "covered" : "on");
    by("help").hidden = !covered;
    by("resume").hidden = !event.mayResume;
    by("help-why").textContent = covered ? `Something that must not be sent was seen in your picture (${event.reasons.map((one) => one.label).join(", ") || event.by}).` : "";
    if (covered && event.before === null) by("help").focus();
    note(covered ? `Covered: ${event.rung}.` : "The picture is sent again.");
  } else if (event.kind === "blind") { show("blind"); note(`The guard cannot see: ${event.message}`); }
  else if (event.kind === "started") for (const one of event.absent) note(`Not watched for here: ${one.detector} (${one.reason}).`);
  else if (event.kind === "ended") { show("ended"); say("Your camera's track has ended. Nothing is sent."); }
  else if (event.kind === "failed") { show("off"); say(`${event.name}: ${event.message}`); }
}
const framed = (event) => {
  if (event.kind !== "dropped") return;
  call.dropped++;
  (call.reasons ??= {})[event.reason] = (call.reasons[event.reason] ?? 0) + 1;
  if (event.direction === "receive" && call.reasons[event.reason] === 1) note(`Frames refused: ${event.reason}.`);
};

by("enter").addEventListener("submit", async (submitted) => {
  submitted.preventDefault();
  by("enter").querySelector("button").disabled = true;
  try { await enter(by("room").value); }
  catch (error) { show("off"); say(`${error.name}: ${error.message}`); by("enter").hidden = false; by("enter").querySelector("button").disabled = false; }
});
by("enter").querySelector("button").disabled = false; // before that, the browser itself would send the form

async function enter(room) {
  let camera;
  try { camera = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 360, frameRate: 30 } }); }
  catch (error) { throw cameraError(error); }
  const guard = new Guard("/worker.js");
  const raw = camera.getVideoTracks()[0];
  by("enter").hidden = true;
  show("starting");
  const safe = await guard.protect(raw, { policy, help, onEvent: told });
  call.guard = guard; call.safe = safe; call.raw = raw;
  by("mine").srcObject = new MediaStream([safe]);
  show("on");
  by("resume").onclick = async () => { if (!(await safe.guard.resume())) note("The policy does not allow that now."); };
  await meet(room, guard, safe);
}

async function meet(room, guard, safe) {
  const socket = new WebSocket(`ws://${location.host}/rooms/${encodeURIComponent(room)}`);
  const send = (message) => socket.send(JSON.stringify(message));
  const pair = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, false, ["deriveBits"]);
  const mine = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const connection = (call.connection = new RTCPeerConnection({ iceServers: [] }));
  connection.addTrack(safe); // not addTransceiver: an answer joins only what addTrack made to the other's offer
  const [transceiver] = connection.getTransceivers();
  preferVp8(transceiver);
  // Before negotiation: what comes before the keys is dropped, never sent in clear.
  const out = (call.out = guard.encrypted(transceiver.sender, [], { media: "video", onEvent: framed }));
  const into = (call.into = guard.encrypted(transceiver.receiver, [], { media: "video", onEvent: framed }));
  connection.onicecandidate = ({ candidate }) => candidate && send({ kind: "address", candidate });
  connection.ontrack = ({ track }) => { by("theirs").srcObject = new MediaStream([track]); };
  connection.onconnectionstatechange = () => say(`Connection: ${connection.connectionState}.`);

  let first = false, promised = null;
  const keyed = async (theirs) => {
    const key = await crypto.subtle.importKey("raw", theirs, { name: "ECDH", namedCurve: "P-256" }, false, []);
    const shared = new Uint8Array(await crypto.subtle.deriveBits({ name: "ECDH", public: key }, pair.privateKey, 256));
    const base = (await sha256(new TextEncoder().encode("lightship call "), shared)).slice(0, 16);
    const [a, b] = first ? [mine, theirs] : [theirs, mine];
    const digits = new DataView((await sha256(a, b)).buffer).getUint32(0) % 1000000;
    by("code").textContent = String(digits).padStart(6, "0");
    by("check").hidden = false;
    out.keys([{ suite: 4, base, generation: first ? 1 : 2 }]);
    into.keys([{ suite: 4, base, generation: first ? 2 : 1 }]);
  };
  const early = [];
  const take = {
    // Who was here first promises its key before it sees the other's, so that nobody in between can choose one that fits.
    joined: async () => { first = true; send({ kind: "promise", digest: base64(await sha256(mine)) }); },
    promise: async ({ digest }) => { promised = digest; send({ kind: "key", key: base64(mine) }); },
    key: async ({ key }) => {
      const theirs = unbase64(key);
      if (!first && base64(await sha256(theirs)) !== promised) throw new Error("The other side's key is not the one it promised. Leave this call.");
      if (first) send({ kind: "key", key: base64(mine) });
      await keyed(theirs);
      if (first) { await connection.setLocalDescription(await connection.createOffer()); send({ kind: "offer", description: connection.localDescription }); }
    },
    offer: async ({ description }) => {
      await connection.setRemoteDescription(description);
      await connection.setLocalDescription(await connection.createAnswer());
      send({ kind: "answer", description: connection.localDescription });
      for (const one of early.splice(0)) await connection.addIceCandidate(one);
    },
    answer: async ({ description }) => { await connection.setRemoteDescription(description); for (const one of early.splice(0)) await connection.addIceCandidate(one); },
    address: async ({ candidate }) => { if (connection.remoteDescription) await connection.addIceCandidate(candidate); else early.push(candidate); },
    left: async () => { say("The other person has left."); by("theirs").srcObject = null; },
    full: async () => { say("This room has two people already."); },
  };
  let line = Promise.resolve();
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    line = line.then(() => take[message.kind]?.(message)).catch((error) => say(String(error.message ?? error)));
  };
  socket.onclose = () => say("The signalling has ended. The call itself goes on.");
  say("Waiting for the other person.");
}
