{{- define "safety-monitor.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "safety-monitor.labels" -}}
app.kubernetes.io/name: safety-monitor
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "safety-monitor.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: 10001
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end }}
