"""A relay in the middle of a call: it ends both transports, hands the media on, and keeps what it received.

The strongest place to listen: DTLS ends here, so that every encoded frame lies open but for SFrame. It hands on what is
said about keys as it is, because the page's codes would show it if it did not.
"""

import json
from collections import Counter, defaultdict
from math import log2

import av
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.codecs.vpx import VpxPayloadDescriptor
from aiortc.rtp import RTCP_PSFB_PLI, RtcpPsfbPacket, RtpPacket
from aiortc.sdp import candidate_from_sdp
from fastapi import FastAPI, WebSocket
from starlette.websockets import WebSocketDisconnect

from lightship.console.call import call_app


class Leg:
    """The relay's end of the connection with one of the two."""

    def __init__(self) -> None:
        self.connection = RTCPeerConnection()
        self.packets: list[RtpPacket] = []

    @property
    def transceiver(self):
        return self.connection.getTransceivers()[0]

    def hand_on_to(self, other: "Leg") -> None:
        """Send what arrives here to the other, and ask here for the key frames that the other asks for."""
        receiver, sender = self.transceiver.receiver, other.transceiver.sender
        coming, going = self.transceiver._codecs[0].payloadType, other.transceiver._codecs[0].payloadType

        async def arrived(packet: RtpPacket, arrival_time_ms: int) -> None:
            if packet.payload_type != coming:
                return  # a repeat, which a machine alone with itself does not need
            self.packets.append(packet)
            onward = RtpPacket(going, packet.marker, packet.sequence_number, packet.timestamp, sender._ssrc)
            onward.payload = packet.payload
            await other.transceiver.sender.transport._send_rtp(onward.serialize())

        async def asked(packet) -> None:
            if isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_PLI and self.packets:
                await receiver._send_rtcp_pli(self.packets[-1].ssrc)

        receiver._handle_rtp_packet = arrived
        sender._handle_rtcp_packet = asked

    def frames(self) -> list[bytes]:
        """Return the encoded frames that arrived whole, in their order."""
        parts: dict[int, list[RtpPacket]] = defaultdict(list)
        for packet in list(self.packets):
            parts[packet.timestamp].append(packet)
        found = []
        for packets in parts.values():
            packets.sort(key=lambda packet: packet.sequence_number)
            opened = [VpxPayloadDescriptor.parse(packet.payload) for packet in packets]
            if opened[0][0].partition_start and packets[-1].marker:
                found.append(b"".join(data for _, data in opened))
        return found


class Relay:
    """A call's server that is not the plain one: the media go through it."""

    def __init__(self, policy: str) -> None:
        self.legs: list[Leg] = []
        self._guests: list[WebSocket] = []
        self.app = FastAPI(openapi_url=None)
        self.app.websocket("/rooms/{name}")(self._seat)
        self.app.mount("/", call_app(policy, ()))

    async def _seat(self, socket: WebSocket, name: str) -> None:
        await socket.accept()
        self._guests.append(socket)
        leg = Leg()
        self.legs.append(leg)
        if len(self._guests) == 2:
            await self._guests[0].send_json({"kind": "joined"})
        try:
            while True:
                await self._take(socket, leg, json.loads(await socket.receive_text()))
        except WebSocketDisconnect:
            await leg.connection.close()

    async def _take(self, socket: WebSocket, leg: Leg, message: dict) -> None:
        other = self._guests[1 - self._guests.index(socket)] if len(self._guests) == 2 else None
        match message["kind"]:
            case "offer":
                first, second = self.legs
                await first.connection.setRemoteDescription(_description(message))
                second.connection.addTransceiver("video", "sendrecv")
                await second.connection.setLocalDescription(await second.connection.createOffer())
                first.transceiver.direction = "sendrecv"
                await first.connection.setLocalDescription(await first.connection.createAnswer())
                await socket.send_json(_said("answer", first))
                await other.send_json(_said("offer", second))
            case "answer":
                first, second = self.legs
                await second.connection.setRemoteDescription(_description(message))
                first.hand_on_to(second)
                second.hand_on_to(first)
            case "address":
                text = message["candidate"]["candidate"]
                if text and leg.connection.remoteDescription:
                    candidate = candidate_from_sdp(text.removeprefix("candidate:"))
                    candidate.sdpMLineIndex = message["candidate"]["sdpMLineIndex"]
                    await leg.connection.addIceCandidate(candidate)
            case _:
                await other.send_json(message)


def _description(message: dict) -> RTCSessionDescription:
    return RTCSessionDescription(message["description"]["sdp"], message["description"]["type"])


def _said(kind: str, leg: Leg) -> dict:
    made = leg.connection.localDescription
    return {"kind": kind, "description": {"sdp": made.sdp, "type": made.type}}


def entropy_bits(data: bytes) -> float:
    """Return the entropy of bytes, in bits a byte."""
    return -sum(n / len(data) * log2(n / len(data)) for n in Counter(data).values())


def pictures(frames: list[bytes]) -> list:
    """Return what a VP8 decoder makes of frames, as brightness; it skips what it cannot read."""
    decoder = av.CodecContext.create("vp8", "r")
    found = []
    for frame in frames:
        try:
            found += [picture.to_ndarray(format="gray") for picture in decoder.decode(av.Packet(frame))]
        except av.error.FFmpegError:
            continue
    return found
