mod core_smoke;
