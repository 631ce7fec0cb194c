/** Statements to begin with; what they are called stands in the locale files under sql.example. */
export const EXAMPLES = [
  {
    name: "counts",
    sql: `SELECT modality, year(study_date) AS year, count(*) AS studies
FROM study
WHERE not_patient_indicator IS NULL
GROUP BY ALL
ORDER BY modality, year`,
  },
  {
    name: "ct",
    sql: `SELECT e.display_name, s.study_description, count(*) AS studies,
  quantile_cont(s.dlp_total, 0.25) AS dlp_25, median(s.dlp_total) AS dlp_50, quantile_cont(s.dlp_total, 0.75) AS dlp_75
FROM study s JOIN equipment e ON e.id = s.equipment_id
WHERE s.modality = 'CT' AND s.not_patient_indicator IS NULL
GROUP BY ALL
ORDER BY studies DESC`,
  },
  {
    name: "fluoroscopy",
    sql: `SELECT id, study_date, study_description, dap_total * 1e6 AS dap_cgycm2, dose_rp_total * 1e3 AS dose_rp_mgy, total_fluoro_time
FROM study
WHERE modality = 'RF' AND dose_rp_total IS NOT NULL
ORDER BY dose_rp_total DESC
LIMIT 50`,
  },
  {
    name: "filters",
    sql: `SELECT f.material.meaning AS material, f.thickness_minimum, f.thickness_maximum, count(*) AS events
FROM projection_event, unnest(xray_filters) AS t(f)
GROUP BY ALL
ORDER BY events DESC`,
  },
  {
    name: "marks",
    sql: `SELECT m.field, m.mark, count(*) AS studies
FROM study, unnest(marks) AS t(m)
GROUP BY ALL
ORDER BY studies DESC`,
  },
] as const;
