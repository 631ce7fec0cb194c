// Made by tools/web_facts.py from the server's declarations (make docs): not to be edited.

/** All groups of users, in the order in which people read them. */
export const GROUPS = [
  "view",
  "import sizes",
  "query-retrieve",
  "export",
  "patient identity",
  "administration",
] as const;

/** States of tasks. */
export const TASK_STATES = [
  "waiting",
  "running",
  "done",
  "stopped",
  "failed",
  "broken off",
] as const;

/** Those of tasks that are over. */
export const FINISHED_STATES = ["done", "stopped", "failed", "broken off"] as const;

/** Kinds of studies that are searched for, by the modalities that make them one. */
export const STUDY_KINDS = {
  CT: ["CT"],
  MG: ["MG"],
  FL: ["RF", "XA"],
  DX: ["DX", "CR", "PX", "IO", "RG"],
  NM: ["NM", "PT"],
} as const;

/** What dose check says: names of fields of a CT event, DLP before CTDIvol. */
export const DOSE_CHECK = [
  {
    kind: "alert",
    limits: [
      {
        configured: "dlp_alert_value_configured",
        value: "dlp_alert_value",
        estimate: "accumulated_dlp_forward_estimate",
      },
      {
        configured: "ctdivol_alert_value_configured",
        value: "ctdivol_alert_value",
        estimate: "accumulated_ctdivol_forward_estimate",
      },
    ],
    reason: "alert_reason_for_proceeding",
    more: ["alternative_dose_alert_behavior"],
  },
  {
    kind: "notification",
    limits: [
      {
        configured: "dlp_notification_value_configured",
        value: "dlp_notification_value",
        estimate: "dlp_forward_estimate",
      },
      {
        configured: "ctdivol_notification_value_configured",
        value: "ctdivol_notification_value",
        estimate: "ctdivol_forward_estimate",
      },
    ],
    reason: "notification_reason_for_proceeding",
    more: [],
  },
] as const;
