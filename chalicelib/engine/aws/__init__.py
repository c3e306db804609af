"""The engine on DynamoDB, S3, SQS, Kinesis, Secrets Manager and SES."""
