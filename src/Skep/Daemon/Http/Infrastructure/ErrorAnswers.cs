using Microsoft.AspNetCore.Connections;
using Skep.Model.Errors;

namespace Skep.Daemon.Http.Infrastructure;

/// <summary>Turns every refusal into <c>{"message":"…"}</c>, and what nobody answers into 404 <c>page not found</c>.</summary>
internal sealed class ErrorAnswers(ILoggerFactory logging)
{
    private readonly ILogger _log = logging.CreateLogger<ErrorAnswers>();

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (ClusterException refusal)
        {
            var status = StatusCodesOf.Http(refusal.Kind);
            if (refusal.Kind == ErrorKind.Internal)
            {
                _log.RequestFailed(context.Request.Method, context.Request.Path, refusal);
            }

            await AnswerAsync(context, status, refusal.Message);
            return;
        }
        catch (BadHttpRequestException malformed)
        {
            await AnswerAsync(context, malformed.StatusCode, malformed.Message);
            return;
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException or ConnectionResetException && context.RequestAborted.IsCancellationRequested)
        {
            return;
        }
        catch (Exception failure)
        {
            _log.RequestFailed(context.Request.Method, context.Request.Path, failure);
            await AnswerAsync(context, 500, failure.Message);
            return;
        }

        // Routing answers 405 to a known path with another method; for Docker's clients that page does not exist either.
        if (!context.Response.HasStarted && context.GetEndpoint() is null or { RequestDelegate: not null } && IsUnanswered(context))
        {
            await AnswerAsync(context, 404, "page not found");
        }
    }

    private static bool IsUnanswered(HttpContext context) =>
        context.Response.StatusCode == 405 || (context.Response.StatusCode == 404 && context.GetEndpoint() is null);

    private static async Task AnswerAsync(HttpContext context, int status, string message)
    {
        if (context.Response.HasStarted || HijackableConnection.IsTaken(context))
        {
            // The client sees the stream break off, which is the only word left.
            context.Abort();
            return;
        }

        context.Response.Headers.Remove("Allow");
        context.Response.ContentLength = null;
        await context.WriteJsonAsync(new ErrorBody(message), InfrastructureJson.Default.ErrorBody, status);
    }
}
