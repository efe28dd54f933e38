"""A report as platforms have them: benign stand-ins in every field."""

from __future__ import annotations

INCIDENT = "Child Pornography (possession, manufacture, and distribution)"


def tip(**more):
    """A stopped livestream, with what a platform would hold of it."""
    return {
        "additionalInfo": "Stopped 41 s after the platform became aware.",
        "reporter": {
            "reportingPerson": {
                "firstName": "Zoë",
                "lastName": "孙 Нина ني",
                "email": {"#": "duty@example.org", "@type": "Work"},
            },
            "companyTemplate": "Example Live Ltd",
        },
        "internetDetails": [{"webPageIncident": {"url": ["https://live.example.org/s/7"]}}],
        "incidentSummary": {
            "incidentDateTime": "2026-11-28T23:40:00+00:00",
            "platform": "Example Live",
            "incidentType": INCIDENT,
            "escalateToHighPriority": "A livestream was under way.",
        },
        "personOrUserReported": {
            "ipCaptureEvent": [
                {
                    "port": 4431,
                    "dateTime": "2026-11-28T23:31:07Z",
                    "eventName": "Upload",
                    "ipAddress": "2001:db8::7",
                },
                {"ipAddress": "192.0.2.7", "eventName": "Login", "dateTime": "2026-11-27T08:00:00+01:00"},
            ],
            "displayName": ["host 7"],
            "espIdentifier": "u-7",
            "screenName": "host7",
            "personOrUserReportedPerson": {
                "phone": {
                    "#": "7700900123",
                    "@countryCallingCode": "+44",
                    "@type": "Mobile",
                    "@verified": True,
                },
                "email": [
                    {
                        "#": "seven@example.org",
                        "@verified": True,
                        "@verificationDate": "2026-01-02T03:04:05Z",
                    },
                    {"#": "spare@example.org", "@type": "Recovery"},
                ],
            },
        },
        **more,
    }


def details(**more):
    """One file of it."""
    return {
        "reportId": "1001",
        "fileId": "0" * 32,
        "originalFileName": "7.mp4",
        "uploadedToEspTimestamp": "2026-11-28T23:31:07Z",
        "fileViewedByEsp": False,
        "exifViewedByEsp": False,
        "publiclyAvailable": True,
        "fileRelevance": "Reported",
        "fileAnnotations": {"liveStreaming": True},
        "industryClassification": "A1",
        "originalFileHash": [{"#": "ab" * 32, "@hashType": "SHA-256"}, {"#": "cd" * 16, "@hashType": "MD5"}],
        "ipCaptureEvent": {
            "ipAddress": "2001:db8::7",
            "eventName": "Upload",
            "dateTime": "2026-11-28T23:31:07Z",
        },
        "details": {"@type": "EXIF", "nameValuePair": [{"name": "Model", "value": "none"}]},
        **more,
    }
