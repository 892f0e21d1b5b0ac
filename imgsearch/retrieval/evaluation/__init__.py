"""Measure retrieval quality: methods, metrics, distortions, cutoff calibration."""
