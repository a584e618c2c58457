"""What the data says beyond limits: anomalies and their causes."""
