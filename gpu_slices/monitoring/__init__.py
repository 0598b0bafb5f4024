"""What is measured, shown and told: queries once, used by recording rules, dashboards and alerts."""
